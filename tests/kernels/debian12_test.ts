/** Debian 12's own kernel, C library and libbpf. */
import { kernelTests } from "./check.ts";

kernelTests("Debian 12's kernel", "bookworm", /^6\.1\./);
