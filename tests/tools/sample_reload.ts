/** The part of a status that tells of reloads, before the first. */
import type { ReloadStatus } from "../../src/api/status.ts";

export const NO_RELOAD: ReloadStatus = {
  config: "/etc/vei/vei.toml",
  sha256: null,
  generation: 1,
  started: 0,
  finished: 0,
  outcomes: { applied: 0, unchanged: 0, refused: 0 },
  results: [],
};
