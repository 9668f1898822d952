/** `vei policy …`: the policies that there are, what they mean, and in what they differ. */
import type { Command } from "./command.ts";
import { command as check } from "./policy_check.ts";
import { command as diff } from "./policy_diff.ts";
import { command as init } from "./policy_init.ts";
import { list, show } from "./policy_list.ts";

export const commands: readonly Command[] = [list, show, check, init, diff];
