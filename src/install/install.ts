/** Puts VEI on the machine: looks first, then changes what differs, and can be interrupted anywhere. */
import { lookAt, makeFolders, missingFolders, placeFile, removeFile } from "./disk.ts";
import type { Found } from "./disk.ts";
import { besideOf, type Layout, temporaryOf } from "./layout.ts";
import { emptyManifest, inOrder, type Manifest, readManifest, writeManifest } from "./manifest.ts";
import { type FileStep, planFiles, type WantedFile } from "./plan.ts";
import { keepPrevious } from "./swap.ts";
import { makeUser, type SystemUser, type UserState, userState } from "./user.ts";

/** What is to be on the machine. */
export interface Wanted {
  layout: Layout;
  version: string;
  /** The program first. */
  files: readonly WantedFile[];
  users: readonly SystemUser[];
}

/** What was found, and what has to be done about it. */
export interface Plan {
  manifest: Manifest | null;
  files: FileStep[];
  users: readonly { user: SystemUser; there: UserState }[];
  /** Folders that have to be made, outermost first. */
  folders: string[];
  /** The manifest as it will be. */
  result: Manifest;
  /** Whether anything on the machine will be another afterwards. */
  changes: boolean;
}

/**
 * Looks at the machine; changes nothing.
 * @throws VeiError `file-foreign`, `user-taken`, `manifest-damaged`.
 */
export async function planInstall({ layout, version, files, ...wanted }: Wanted): Promise<Plan> {
  const manifest = await readManifest(layout.manifest);
  const users = [];
  for (const user of wanted.users) users.push({ user, there: await userState(user) });
  const found = new Map<string, Found>();
  for (const { path } of files) {
    for (const place of [path, besideOf(path)]) found.set(place, await lookAt(place));
  }
  const steps = planFiles(files, (path) => found.get(path)!, manifest);
  const places = [layout.manifest, ...steps.map(({ path }) => path)];
  const folders = await missingFolders(places);
  const newUsers = users.filter(isMissing).map(({ user: { name, id } }) => ({ name, id }));
  const result = inOrder({
    ...(manifest ?? emptyManifest(version)),
    version,
    pending: false,
    files: filesAfter(steps, manifest),
    folders: [...new Set([...manifest?.folders ?? [], ...folders])],
    users: [
      ...manifest?.users ?? [],
      ...newUsers.filter(({ id }) => !manifest?.users.some((user) => user.id === id)),
    ],
    configDefault: configDefaultAfter(steps, files, manifest),
  });
  const changes = manifest === null || folders.length > 0 || newUsers.length > 0 ||
    steps.some(({ action }) => ["make", "replace", "remove"].includes(action)) ||
    JSON.stringify(result) !== JSON.stringify(manifest);
  return { manifest, files: steps, users, folders, result, changes };
}

/** @returns whether a user or its group has to be made. */
export function isMissing({ there }: Plan["users"][number]): boolean {
  return !there.user || !there.group;
}

/** The digests by which files are known as ours when all is done. */
function filesAfter(steps: readonly FileStep[], manifest: Manifest | null): Manifest["files"] {
  const files = { ...manifest?.files };
  for (const { path, action, sha256 } of steps) {
    if (action === "remove") delete files[path];
    // What was kept may still become ours again: somebody puts the old text back.
    else if (action !== "keep") files[path] = [sha256];
  }
  return files;
}

function configDefaultAfter(
  steps: readonly FileStep[],
  files: readonly WantedFile[],
  manifest: Manifest | null,
): string | null {
  const config = files.find(({ once }) => once);
  const kept = steps.some(({ path, action }) => path === config?.path && action === "keep");
  return config === undefined || kept ? manifest?.configDefault ?? null : config.sha256;
}

/**
 * Carries a plan out. Killed at any moment, it leaves each file old or new, and the manifest knows
 * both; the next run does the rest.
 * @param say takes a line for each step, changed or not.
 * @throws VeiError `install-failed`, `program-failed`.
 */
export async function carryOut(
  wanted: Wanted,
  plan: Plan,
  say: (what: string, path: string, done: string) => void,
): Promise<void> {
  const { layout } = wanted;
  await removeTemporaries([...plan.files.map(({ path }) => path), layout.previous]);
  if (plan.changes) {
    await makeFolders(plan.folders);
    await writeManifest(layout.manifest, pendingManifest(plan, layout));
  }
  for (const found of plan.users) {
    const { user, there } = found;
    if (isMissing(found)) await makeUser(user, there);
    say("user", `${user.name} (${user.id})`, isMissing(found) ? "made" : "unchanged");
  }
  for (const step of plan.files) {
    if (step.wanted) {
      const { content, mode, sha256 } = step.wanted;
      if (step.path === layout.program && step.action === "replace") await keepPrevious(layout);
      await placeFile(step.path, content, { mode, sha256 });
    } else if (step.action === "remove") {
      await removeFile(step.path);
    }
    const note = step.note === "" ? "" : ` (${step.note})`;
    say(step.what, step.path, `${DONE[step.action]}${note}`);
  }
  if (plan.changes) {
    const previous = await lookAt(layout.previous);
    const files = { ...plan.result.files };
    delete files[layout.previous];
    if (previous.kind === "file") files[layout.previous] = [previous.sha256];
    await writeManifest(layout.manifest, { ...plan.result, files });
  }
}

const DONE = {
  make: "made",
  replace: "replaced",
  unchanged: "unchanged",
  keep: "kept",
  remove: "removed",
} as const;

/** @returns what is known as ours while the work is done: the old files and the new ones. */
function pendingManifest({ manifest, result, files }: Plan, layout: Layout): Manifest {
  const both = { ...manifest?.files };
  for (const { path, sha256, action } of files) {
    if (action === "keep" || action === "remove") continue;
    both[path] = [...new Set([...both[path] ?? [], sha256])];
  }
  both[layout.previous] = [
    ...new Set([...both[layout.previous] ?? [], ...both[layout.program] ?? []]),
  ];
  return { ...result, pending: true, files: both };
}

/** Takes away what an interrupted run was making. */
export async function removeTemporaries(paths: readonly string[]): Promise<void> {
  for (const path of paths) await removeFile(temporaryOf(path));
}
