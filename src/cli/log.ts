/** The daemon's log on standard error: lines for a person at a terminal, JSON lines elsewhere. */
import type { Config } from "../base/config.ts";
import type { Terminal } from "./command.ts";
import { printable } from "./terminal.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = Config["log"]["level"];

export interface Log {
  (level: Level, message: string, fields?: Record<string, unknown>): void;
  /** What is below is not written. */
  least: Level;
}

/**
 * @param least what is below is not written.
 * @param now the clock.
 */
export function makeLog(terminal: Terminal, least: Level, now: () => Date): Log {
  const log: Log = (level, message, fields = {}) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(log.least)) return;
    const time = now().toISOString();
    if (terminal.interactive) {
      const more = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      terminal.err(
        printable(`${time.slice(11, 23)} ${level.padEnd(5)} ${message}${more.join("")}`),
      );
    } else {
      terminal.err(JSON.stringify({ time, level, message, ...fields }));
    }
  };
  log.least = least;
  return log;
}
