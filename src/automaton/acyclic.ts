/**
 * The classes of equivalent states of an automaton without cycles other than states that lead back
 * to themselves: after D. Revuz, "Minimisation of acyclic deterministic automata in linear time"
 * (1992). Whatever counts bytes is of this form, and has thousands of states.
 */
import type { Raw } from "./explore.ts";

const UNSEEN = -1;
const OPEN = -2;

/**
 * @returns the class of each state, two states being in one exactly if they accept the same; null
 * if there is a cycle of two states or more.
 */
export function acyclicClasses({ classCount: k, stateCount: n, next, accepting }: Raw) {
  const classOf = new Int32Array(n).fill(UNSEEN);
  /** By acceptance and the classes that the symbols lead to. */
  const classes = new Map<string, number>();
  /** The same of classes that lead back to themselves, with `.` in place of their own. */
  const looping = new Map<string, number>();
  const path: number[] = [];

  /** @param own what is written where a symbol leads back to the state. */
  const signature = (state: number, own: number | ".") => {
    let text = `${accepting[state]}`;
    for (let i = state * k; i < (state + 1) * k; i++) {
      text += `,${next[i] === state ? own : classOf[next[i]]}`;
    }
    return text;
  };
  const settle = (state: number) => {
    const row = next.subarray(state * k, (state + 1) * k);
    const fresh = classes.size;
    const loops = row.includes(state);
    if (loops) {
      // It may equal a state that it leads to, or else one that leads back to itself just so.
      for (const target of row) {
        if (target === state) continue;
        if (classes.get(signature(state, classOf[target])) === classOf[target]) {
          return classOf[target];
        }
      }
      const known = looping.get(signature(state, "."));
      if (known !== undefined) return known;
      looping.set(signature(state, "."), fresh);
    }
    const plain = signature(state, fresh);
    const known = classes.get(plain);
    if (known === undefined) classes.set(plain, fresh);
    return known ?? fresh;
  };

  for (let root = 0; root < n; root++) {
    if (classOf[root] !== UNSEEN) continue;
    path.push(root);
    while (path.length > 0) {
      const state = path[path.length - 1];
      if (classOf[state] >= 0) {
        path.pop();
        continue;
      }
      classOf[state] = OPEN;
      const before = path.length;
      for (let i = state * k; i < (state + 1) * k; i++) {
        const target = next[i];
        if (classOf[target] === UNSEEN) path.push(target);
        else if (classOf[target] === OPEN && target !== state) return null;
      }
      if (path.length > before) continue;
      classOf[state] = settle(state);
      path.pop();
    }
  }
  return { classOf, count: classes.size };
}
