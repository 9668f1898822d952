/** Debian 13's own kernel, C library and libbpf. */
import { kernelTests } from "./check.ts";

kernelTests("Debian 13's kernel", "trixie", /^6\.12\./);
