/** The command table: what `vei` can do, in the order of `--help`. */
import { command as ask } from "./ask.ts";
import type { Command, CommandTable } from "./command.ts";
import { command as completions } from "./completions.ts";
import { command as demo } from "./demo.ts";
import { commands as diode } from "./diode.ts";
import { command as doctor } from "./doctor.ts";
import { commands as enclave } from "./enclave.ts";
import { command as filter } from "./filter.ts";
import { command as install } from "./install.ts";
import { command as man } from "./man.ts";
import { command as logs } from "./logs.ts";
import { command as help } from "./topics.ts";
import { add as modelAdd, list as modelList, use as modelUse } from "./model.ts";
import { commands as policy } from "./policy.ts";
import { commands as receipt } from "./receipt.ts";
import { command as reload } from "./reload.ts";
import { command as prepare } from "./prepare.ts";
import { command as serve } from "./serve.ts";
import { command as setup } from "./setup.ts";
import { command as status } from "./status.ts";
import { command as uninstall } from "./uninstall.ts";
import { command as upgrade } from "./upgrade.ts";
import { command as verify } from "./verify.ts";
import { command as version } from "./version.ts";

/** Every command, under the headings of `--help`. */
export const COMMAND_TABLE: CommandTable = [
  { title: "Run", commands: [demo, setup, serve, reload, ask] },
  { title: "Look", commands: [status, logs, doctor] },
  { title: "Gate and virtual machine", commands: [...diode, ...enclave, prepare] },
  { title: "Policies", commands: [filter, ...policy] },
  { title: "Models", commands: [modelList, modelAdd, modelUse] },
  { title: "Receipts", commands: [...receipt, verify] },
  {
    title: "This installation",
    commands: [install, upgrade, uninstall, help, completions, man, version],
  },
];

/** Every command. */
export const COMMANDS: readonly Command[] = COMMAND_TABLE.flatMap(({ commands }) => commands);
