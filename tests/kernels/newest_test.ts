/** The newest kernel that Debian has, with the C library and libbpf beside it. */
import { kernelTests } from "./check.ts";

kernelTests("Debian's newest kernel", "sid", /^([7-9]|[1-9][0-9])\./);
