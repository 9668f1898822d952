/**
 * Where the program is cut for its proof, and what is so there:
 *
 *     payload  the frame keeps the link rules, and its payload begins at `start`
 *     head     of the loop: `index` bytes of the payload have been walked, and the table's state
 *              after them is the first entry of a row, and not decided
 *     middle   of a round, as at the head, and four bytes of the next eight have been walked too
 *     tail     as at the head, and the walk stops within the next eight bytes
 *     decided  the walk has come to a decided state
 *     spent    the walk has taken as many bytes as it may, and there are more
 *     end      the walk has stopped, in a state that does not refuse
 *
 * Nothing rests on this: the checker takes it for a claim, and so does the solver.
 */
import { TABLE, WALK_LIMIT } from "../bpf/layout.ts";
import { event } from "../bpf/program_parts.ts";
import { programLabels } from "../bpf/program.ts";
import { BEFORE_GROUP, DECIDED_BELOW, GROUP, UNIT } from "../bpf/program_walk.ts";
import type { Cuts, Hint, Law, Place, Ways } from "./checker/program/hints.ts";

const LEAST_HEADERS = 54, MOST_HEADERS = 94;

const any = (...facts: Hint[]): Hint => facts.reduce((any, fact) => ["or", any, fact]);
const add = (one: Hint, other: Hint): Hint => ["add", one, other];
const twice = (one: Hint): Hint => add(one, one);
/** Of two numbers far below 2^63, whether the one is at least the other: by their difference's sign. */
const reaches = (one: Hint, other: Hint): Hint => ["not", ["sign", ["sub", one, other]]];
const decided = (state: Hint): Hint => ["decided", state];
/** How many bytes have been walked, so many bytes on, and the state then. */
const further = (bytes: number): Hint => bytes === 0 ? "index" : add("index", bytes);
const after = (bytes: number): Hint =>
  bytes === 0 ? "state" : ["next", further(bytes - 1), after(bytes - 1)];
const law = (law: Law, at: number) => [law, further(at), after(at)] as const;
const bytes = (count: number) => [...Array(count).keys()];

/** What two registers hold everywhere: where the frame begins and ends. */
const ENDS: Place["registers"] = { 6: ["frame", 0], 8: ["frame", add("start", "length")] };

/** What the registers hold wherever the payload is walked; `walked` is the state in r0. */
function walking(walked: Hint): Place["registers"] {
  return {
    ...ENDS,
    0: ["number", ["wide", walked]],
    2: ["frame", add("start", "index")],
    4: ["number", ["sub", "walkBytes", "index"]],
    5: ["number", ["wide", ["restless", walked]]],
    7: ["table", TABLE.rows],
    9: ["table", TABLE.classes],
  };
}

/** @returns the program's places, and the ways between them. */
export function programCuts(): Cuts {
  const labels = programLabels();
  const slot = (label: string) => labels.get(label)!;
  const least: Hint = ["ule", LEAST_HEADERS, "start"], most: Hint = ["ule", "start", MOST_HEADERS];
  const payloadLength: Place["stack"][number] = [event("payloadLength"), 4, "length"];
  const stack: Place["stack"] = [payloadLength, [DECIDED_BELOW, 8, twice("decidedBelow")]];
  const before: Place["stack"][number] = [BEFORE_GROUP, 8, twice(["wide", "state"])];
  const row: Hint = ["row", "state"];
  const near: Hint = ["ule", "index", WALK_LIMIT];
  /** Not decided, and not beyond what the walk takes with so many bytes more. */
  const undecided = (more: number): Hint[] => [
    least,
    most,
    reaches("length", further(more)),
    reaches("walkBytes", further(more)),
    ["not", decided("state")],
    ["eq", "accepts", "rest"],
  ];
  const here = { index: "index", state: "state" };
  const begun = { index: 0, state: "first" };
  const there: Ways[string] = { index: ["sub", "r2", "start"], state: ["narrow", "r0"] };
  const { 4: _left, 5: _restless, ...slow } = walking("state");

  return {
    ways: { payload: begun },
    places: {
      payload: {
        slot: slot("payload"),
        registers: {
          ...ENDS,
          1: ["number", "flags"],
          2: ["frame", "start"],
          4: ["number"],
          7: ["config", 0],
        },
        stack: [],
        facts: [least, most, ["eq", "accepts", "payloadPasses"]],
        laws: (["restLaw", "rowLaw", "walkLaw"] as const).map((law) => [law, 0, "first"]),
        ways: { head: begun, decided: begun },
      },
      head: {
        slot: slot("group"),
        registers: walking("state"),
        stack,
        facts: [near, row, ...undecided(0)],
        laws: [law("calmLaw", 0)],
        ways: { middle: here, tail: here },
      },
      middle: {
        slot: slot("after 0"),
        registers: walking(after(UNIT)),
        stack: [...stack, before],
        facts: [row, ...undecided(GROUP)],
        laws: [
          law("walkLaw", 0),
          law("calmLaw", UNIT),
          ...bytes(GROUP).map((at) => law("rowLaw", at)),
          ...bytes(GROUP).slice(1).map((at) => law("decidedLaw", at)),
          ...bytes(GROUP).map((at) => law("restLaw", at)),
        ],
        ways: { head: { index: further(GROUP), state: after(GROUP) }, tail: here },
      },
      tail: {
        slot: slot("bytes"),
        registers: slow,
        stack,
        facts: [
          near,
          ...undecided(0),
          any(
            ["not", reaches("length", further(GROUP))],
            ["not", reaches("walkBytes", further(GROUP))],
            decided(after(GROUP)),
          ),
        ],
        laws: bytes(GROUP + 1).map((at) => law("restLaw", at)),
        ways: { decided: there, spent: there, end: there },
      },
      decided: {
        slot: slot("decided"),
        registers: { ...ENDS, 0: ["number", ["wide", "state"]], 2: ["frame"] },
        stack: [payloadLength],
        facts: [least, ["and", decided("state"), ["eq", "accepts", "stopped"]]],
        laws: [],
        ways: { end: here },
      },
      spent: {
        slot: slot("spent"),
        registers: { ...ENDS, 0: ["number", ["wide", "state"]] },
        stack: [payloadLength],
        facts: [
          least,
          ["not", decided("state")],
          ["eq", "index", "walkBytes"],
          ["not", ["eq", "index", "length"]],
          ["eq", "accepts", "rest"],
        ],
        laws: [law("restLaw", 0)],
        ways: { end: here },
      },
      end: {
        slot: slot("end"),
        registers: { ...ENDS, 0: ["number", ["ite", decided("state"), -1, ["wide", "state"]]] },
        stack: [payloadLength],
        facts: [
          least,
          ["eq", "accepts", "stopped"],
          any(["not", decided("state")], ["not", ["eq", ["wide", "state"], 0]]),
        ],
        laws: [],
        ways: {},
      },
    },
  };
}
