/** The four maps of a diode, whose contents can be changed between runs, for programs near ours. */
import { BpfMap } from "../../ffi/bpf_map.ts";
import { BpfProgram, RUN_MAX_BYTES } from "../../ffi/bpf_program.ts";
import { SystemError } from "../../ffi/native.ts";
import { judgePredicate } from "../../src/automaton/judgement.ts";
import {
  CONFIG_VALUE_BYTES,
  COUNTER_VALUE_BYTES,
  encodeConfig,
  encodeTable,
  EVENTS_RING_BYTES,
  TABLE_VALUE_BYTES,
} from "../../src/bpf/layout.ts";
import { parsePredicate } from "../../src/policy/parse.ts";
import { wholeFile } from "../../src/policy/source.ts";
import { decode } from "../../src/proof/checker/program/decode.ts";
import { STAND_INS } from "../../src/proof/program_certificate.ts";
import type { JudgeLink } from "../judge/link_rules.ts";
import type { Random } from "../judge/random.ts";
import { anyFrame, anyPayload, FLAG, LINK, serialise, spec, SYN_OPTIONS } from "./frames.ts";
import { rulesOf } from "./loaded_diode.ts";

/** What the maps hold, and frames that go every way of the program with it. */
export interface Setting {
  readonly table: Uint8Array<ArrayBuffer>;
  readonly config: Uint8Array<ArrayBuffer>;
  readonly frames: readonly Uint8Array<ArrayBuffer>[];
}

export class ProgramWorld implements Disposable {
  private readonly owned = new DisposableStack();
  private readonly maps: Record<keyof typeof STAND_INS, BpfMap>;

  constructor() {
    using opened = new DisposableStack();
    const array = (name: string, valueSize: number, readOnlyForProgram: boolean) =>
      opened.use(
        BpfMap.create({ kind: "array", name, valueSize, maxEntries: 1, readOnlyForProgram }),
      );
    this.maps = {
      table: array("t_table", TABLE_VALUE_BYTES, true),
      config: array("t_config", CONFIG_VALUE_BYTES, true),
      counters: array("t_counters", COUNTER_VALUE_BYTES, false),
      events: opened.use(
        BpfMap.create({
          kind: "ringbuf",
          name: "t_events",
          valueSize: 0,
          maxEntries: EVENTS_RING_BYTES,
        }),
      ),
    };
    this.owned = opened.move();
  }

  /**
   * @param bytes with the maps' stand-ins.
   * @returns the program; or null where the kernel's verifier refuses it.
   */
  load(bytes: Uint8Array): BpfProgram | null {
    const instructions = bytes.slice();
    const view = new DataView(instructions.buffer);
    decode(bytes, STAND_INS).forEach((instruction, slot) => {
      if (instruction?.kind !== "map") return;
      view.setInt32(8 * slot + 4, this.maps[instruction.map].fd, true);
    });
    try {
      return BpfProgram.load({ name: "t_program", instructions });
    } catch (error) {
      if (error instanceof SystemError && /Cannot load/.test(error.message)) return null;
      throw error;
    }
  }

  fill({ table, config }: Partial<Pick<Setting, "table" | "config">>): void {
    if (table !== undefined) this.maps.table.write(table);
    if (config !== undefined) this.maps.config.write(config);
  }

  /** @returns for each frame of each setting, the program's verdict. */
  verdicts(program: BpfProgram, settings: readonly Setting[]): number[] {
    return settings.flatMap((setting) => {
      this.fill(setting);
      return setting.frames.map((frame) => program.run(frame).verdict);
    });
  }

  [Symbol.dispose](): void {
    this.owned.dispose();
  }
}

/** Diodes of every kind: what a walk may come to, and each of the configuration's flags and limits. */
const DIODES: [predicate: string, link: Partial<JudgeLink>][] = [
  ['not contains "hate" within 512 and size < 1300', {}],
  ['contains "hate"', { anyOptions: true, anyMac: true, anySourcePort: true }],
  ["all printable within 16", { dropEmpty: true }],
  ['not contains "hate"', { maxFrame: RUN_MAX_BYTES }],
  ["json_depth <= 2", { anyOptions: true }],
  ['size >= 3 and starts_with "h"', { maxFrame: 600 }],
  ["anything", {}],
  ["nothing", { anyMac: true }],
];
/** And walks that stop at each place of a round. */
const HORIZONS = [9, 10, 11, 12, 13, 14, 15, 16];

/** @returns a setting for each diode, most of them with so many random frames. */
export function settingsOf(random: Random, frames: number): Setting[] {
  const horizons = HORIZONS.flatMap((bytes): typeof DIODES => [
    [`contains "hate" within ${bytes}`, {}],
    [`size <= ${bytes} and not contains "hate"`, {}],
  ]);
  return [...DIODES, ...horizons].map(([text, changes], i) => {
    const link = { ...LINK, ...changes };
    const judgement = judgePredicate(parsePredicate(wholeFile(text, "test")));
    return {
      table: encodeTable(judgement.dfa),
      config: encodeConfig(rulesOf(link), judgement),
      frames: [
        ...nearLimits(link.maxFrame),
        ...Array.from({ length: i < DIODES.length ? frames : 0 }, () => anyRunnable(random)),
      ],
    };
  });
}

function anyRunnable(random: Random): Uint8Array<ArrayBuffer> {
  for (;;) {
    const frame = anyFrame(random, anyPayload(random));
    if (frame.length <= RUN_MAX_BYTES) return frame;
  }
}

/** Payloads of every length up to three rounds, and around what is walked and what a frame holds. */
function nearLimits(maxFrame: number): Uint8Array<ArrayBuffer>[] {
  const most = Math.min(maxFrame, 1514) - 54;
  const lengths = [...Array(25).keys(), 510, 511, 512, 513, 1299, 1300, most, most + 1];
  const long = [1535, 1536, 1537, 1544, 2000, RUN_MAX_BYTES - 54];
  if (maxFrame === RUN_MAX_BYTES) lengths.push(...long);
  const bytes = (length: number, at: number) => {
    const payload = new Uint8Array(length).fill(0x68); // h
    if (at >= 0) payload.set(new TextEncoder().encode("hate"), at);
    return serialise(spec({ payload }));
  };
  return [
    ...lengths.flatMap((length) => [
      bytes(length, -1),
      ...[0, 1, 3, 4, 7, length - 4].filter((at) => at >= 0 && at + 4 <= length)
        .map((at) => bytes(length, at)),
    ]),
    serialise(spec({ flags: FLAG.syn | FLAG.ack, tcpOptions: SYN_OPTIONS })),
    serialise(
      spec({ flags: FLAG.syn | FLAG.ack, tcpOptions: SYN_OPTIONS, payload: new Uint8Array(3) }),
    ),
    serialise(spec({ tcpOptions: [1, 1, 1, 1], payload: new Uint8Array(9) })),
  ];
}
