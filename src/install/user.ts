/** The system users of daemon and virtual machine. Their numbers are fixed: jail and unit have them. */
import { Exit, VeiError } from "../base/errors.ts";
import { mustRun, run } from "../host/run.ts";

/** A user, and a group of the same name and number. */
export interface SystemUser {
  name: string;
  id: number;
  /** What the user database calls it. */
  comment: string;
}

/** User or group: what the databases say, by getent(1), so that other sources than files count. */
interface Entry {
  name: string;
  id: number;
}

async function lookUp(database: "passwd" | "group", key: string): Promise<Entry | null> {
  const { code, stdout, stderr } = await run("getent", [database, key], { timeoutMs: 20_000 });
  // getent(1): 2 means that the key was not found.
  if (code === 2) return null;
  const [name, , id] = new TextDecoder().decode(stdout).split("\n")[0].split(":");
  if (code === 0 && /^[0-9]+$/.test(id ?? "")) return { name, id: Number(id) };
  throw new VeiError({
    code: "user-unknown",
    message: `Cannot look up ${key} in ${database}: getent ended with ${code} ${stderr.trim()}`,
    hint: "nothing was changed; mend the name service (/etc/nsswitch.conf) and try again",
    exit: Exit.unavailable,
  });
}

/** What there is of user and group. */
export interface UserState {
  user: boolean;
  group: boolean;
}

/**
 * @returns which of the two are there already.
 * @throws VeiError `user-taken` when the name or the number is somebody else's, `user-unknown`.
 */
export async function userState(
  { name, id }: Pick<SystemUser, "name" | "id">,
): Promise<UserState> {
  const there = { user: false, group: false };
  for (const [database, what] of [["passwd", "user"], ["group", "group"]] as const) {
    const [byName, byId] = await Promise.all([
      lookUp(database, name),
      lookUp(database, String(id)),
    ]);
    if (byId !== null && byId.name !== name) {
      throw taken(`The ${what} number ${id} belongs to ${byId.name}`, name, id);
    }
    if (byName !== null && byName.id !== id) {
      throw taken(`The ${what} ${name} has the number ${byName.id}`, name, id);
    }
    there[what] = byId !== null;
  }
  return there;
}

function taken(what: string, name: string, id: number): VeiError {
  return new VeiError({
    code: "user-taken",
    message: `${what}, but VEI needs ${name} with the number ${id} for itself alone`,
    hint: "nothing was changed; give that one another number (usermod -u, groupmod -g)",
    exit: Exit.cannotCreate,
  });
}

/** Makes those of user and group that are missing: no home, no shell, no password. */
export async function makeUser(
  { name, id, comment }: SystemUser,
  there: UserState,
): Promise<void> {
  const number = String(id);
  if (!there.group) await mustRun("groupadd", ["--system", "--gid", number, name]);
  if (there.user) return;
  await mustRun("useradd", [
    ...["--system", "--uid", number, "--gid", number, "--no-create-home"],
    ...["--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"],
    ...["--comment", comment, name],
  ]);
}

/** Removes user and group, as far as they are there. @throws VeiError `program-failed`. */
export async function removeUser(user: Pick<SystemUser, "name" | "id">): Promise<void> {
  if ((await userState(user)).user) await mustRun("userdel", [user.name]);
  // userdel takes the group with it where login.defs says so.
  if ((await userState(user)).group) await mustRun("groupdel", [user.name]);
}
