/** Who owns a file. */
import { cstring, lazyLibrary, unwrap } from "./native.ts";

const libc = lazyLibrary("libc.so.6", {
  // int lchown(const char *pathname, uid_t owner, gid_t group);
  lchown: { parameters: ["buffer", "u32", "u32"], result: "i32" },
}, "VEI needs glibc");

/** Gives a file to a user and group; of a symbolic link the link itself. @throws SystemError */
export function giveTo(path: string, user: number, group: number): void {
  unwrap(libc().lchown(cstring(path), user, group), `Cannot give ${path} to user ${user}`);
}
