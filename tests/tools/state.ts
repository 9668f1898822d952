/** Where the tests find the guest image and the model that the set-up has made. */

/**
 * @returns the state folder: $VEI_TEST_STATE, else `.cache/state` of the checkout.
 * @throws Error when there is no image in it.
 */
export async function testState(): Promise<string> {
  const state = Deno.env.get("VEI_TEST_STATE") ??
    new URL("../../.cache/state", import.meta.url).pathname;
  for (const part of ["images/current", "models/index.json"]) {
    try {
      await Deno.stat(`${state}/${part}`);
    } catch {
      throw new Error(
        `There is no ${part} in ${state}: run ./install.sh test, or ` +
          "`dist/vei setup --state DIR` and set VEI_TEST_STATE to that folder",
      );
    }
  }
  return await Deno.realPath(state);
}
