/** @returns what the map holds for the key; made, if it is asked for the first time. */
export function once<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

export const BYTES: readonly number[] = [...Array(256).keys()];
