/** A diode's kernel objects: four maps and the program over them, made anew or found by id. */
import { createHash } from "node:crypto";
import { equalBytes } from "../src/base/bytes.ts";
import { Exit, VeiError } from "../src/base/errors.ts";
import {
  CONFIG_VALUE_BYTES,
  COUNTER_VALUE_BYTES,
  EVENTS_RING_BYTES,
  TABLE_VALUE_BYTES,
} from "../src/bpf/layout.ts";
import { type DiodeMaps, diodeProgram } from "../src/bpf/program.ts";
import { REASONS } from "../src/bpf/reasons.ts";
import { BpfMap, MAP_TYPE, type MapInfo, type MapInit, RDONLY_PROG } from "../ffi/bpf_map.ts";
import { BpfProgram } from "../ffi/bpf_program.ts";
import type { DiodePlan } from "./plan.ts";
import type { DiodeProof } from "./proof.ts";

/** What the kernel is given: the plan's two tables. */
export type DiodeContent = Pick<DiodePlan, "table" | "config">;

const PROGRAM_NAME = "vei_diode";

/** The four maps as they are made. No two have the same type and size, so each tells its role. */
const SHAPES: DiodeMaps<MapInit> = {
  table: {
    kind: "array",
    name: "vei_table",
    valueSize: TABLE_VALUE_BYTES,
    maxEntries: 1,
    readOnlyForProgram: true,
  },
  config: {
    kind: "array",
    name: "vei_config",
    valueSize: CONFIG_VALUE_BYTES,
    maxEntries: 1,
    readOnlyForProgram: true,
  },
  counters: {
    kind: "array",
    name: "vei_counters",
    valueSize: COUNTER_VALUE_BYTES,
    maxEntries: 1,
  },
  events: { kind: "ringbuf", name: "vei_events", valueSize: 0, maxEntries: EVENTS_RING_BYTES },
};
const ROLES = ["table", "config", "counters", "events"] as const;
/** What the program must not change and nobody may write: the diode itself. */
const FROZEN = ["table", "config"] as const;

/** One diode in the kernel; disposing of it closes our descriptors only. */
export class DiodeObjects implements Disposable {
  private constructor(
    readonly program: BpfProgram,
    readonly maps: DiodeMaps<BpfMap>,
    private readonly owned: DisposableStack,
  ) {}

  /**
   * Creates the maps, writes, freezes and reads them back, then loads. Frozen first: the verifier
   * folds frozen values, so a program loaded before the freeze would have other translated code.
   * @param proof of what is to be attached: asked of what the maps hold and of the bytes to be
   * loaded. null: it is only tried, and attached to nothing.
   * @throws SystemError; VeiError `proof-other`, `diode-read-back` when the kernel holds other bytes
   * than the plan.
   */
  static create(content: DiodeContent, proof: DiodeProof | null): DiodeObjects {
    using stack = new DisposableStack();
    const maps = mapRoles((role) => stack.use(BpfMap.create(SHAPES[role])));
    for (const role of FROZEN) {
      maps[role].write(content[role]);
      maps[role].freeze();
    }
    const program = stack.use(loadOver(maps, proof));
    const objects = new DiodeObjects(program, maps, stack.move());
    const wrong = objects.differenceFrom(content);
    if (wrong !== null) {
      objects[Symbol.dispose]();
      throw new VeiError({
        code: "diode-read-back",
        message: `The kernel does not hold what it was given: ${wrong}`,
        hint: "the diode was not attached; this kernel cannot be relied on",
        exit: Exit.internal,
      });
    }
    return objects;
  }

  /**
   * Finds a loaded program's maps by their ids.
   * @throws VeiError `diode-foreign` when its maps are not a diode's four; SystemError.
   */
  static open(programId: number): DiodeObjects {
    using stack = new DisposableStack();
    const program = stack.use(BpfProgram.fromId(programId));
    const opened = program.info().mapIds.map((id) => stack.use(BpfMap.fromId(id)));
    const maps = mapRoles((role) => {
      const [map] = opened.filter((map) => misshapen(map.info(), SHAPES[role]) === null);
      if (map === undefined || opened.length !== ROLES.length) throw foreign(programId, role);
      return map;
    });
    return new DiodeObjects(program, maps, stack.move());
  }

  /** The ids of the maps. */
  get mapIds(): DiodeMaps<number> {
    return mapRoles((role) => this.maps[role].info().id);
  }

  /**
   * Compares the maps with what they should be: types, sizes, flags, frozen, content.
   * @returns the first thing that is not so, null when all is.
   */
  differenceFrom(content: DiodeContent): string | null {
    for (const role of ROLES) {
      const wrong = misshapen(this.maps[role].info(), SHAPES[role]);
      if (wrong !== null) return `the ${role} map has another ${wrong}`;
    }
    for (const role of FROZEN) {
      if (!this.maps[role].frozen()) return `the ${role} map is not frozen`;
      if (!equalBytes(this.maps[role].read(), content[role])) {
        return `the ${role} map holds other bytes`;
      }
    }
    return null;
  }

  /**
   * The tag cannot tell: it leaves the maps out. So our instructions are loaded once more over these
   * very maps, and what the verifier made of both is compared.
   * @returns whether the program is ours, with these maps.
   * @throws VeiError `proof-other`.
   */
  isOurProgram(proof: DiodeProof | null): boolean {
    using fresh = loadOver(this.maps, proof);
    const [theirs, ours] = [this.program.info(), fresh.info()];
    return equalBytes(theirs.translated, ours.translated) &&
      theirs.mapIds.join() === ours.mapIds.join();
  }

  /** @returns how many frames there were, by reason; exact to 2^53. */
  counters(): Record<string, number> {
    const value = this.maps.counters.read();
    const view = new DataView(value.buffer);
    return Object.fromEntries(
      REASONS.map((reason, slot) => [reason, Number(view.getBigUint64(8 * slot, true))]),
    );
  }

  /** @returns SHA-256 in hex of the content, read back now. */
  digests(): { table: string; config: string } {
    const digest = (map: BpfMap) => createHash("sha256").update(map.read()).digest("hex");
    return { table: digest(this.maps.table), config: digest(this.maps.config) };
  }

  [Symbol.dispose](): void {
    this.owned.dispose();
  }
}

function mapRoles<T>(make: (role: typeof ROLES[number]) => T): DiodeMaps<T> {
  return {
    table: make("table"),
    config: make("config"),
    counters: make("counters"),
    events: make("events"),
  };
}

/** The bytes that are loaded are the ones that the proof is asked about, after the maps were frozen. */
function loadOver(maps: DiodeMaps<BpfMap>, proof: DiodeProof | null): BpfProgram {
  const fds = mapRoles((role) => maps[role].fd);
  const instructions = diodeProgram(fds);
  proof?.require(instructions, fds, { table: maps.table.read(), config: maps.config.read() });
  return BpfProgram.load({ name: PROGRAM_NAME, instructions });
}

/** @returns what is not as in `shape` (names are for people: they do not count), or null. */
function misshapen(info: MapInfo, shape: MapInit): string | null {
  if (info.type !== MAP_TYPE[shape.kind]) return "type";
  if (info.keySize !== (shape.kind === "array" ? 4 : 0)) return "key size";
  if (info.valueSize !== shape.valueSize || info.maxEntries !== shape.maxEntries) return "size";
  if (info.flags !== (shape.readOnlyForProgram ? RDONLY_PROG : 0)) return "set of flags";
  return null;
}

function foreign(programId: number, role: string): VeiError {
  return new VeiError({
    code: "diode-foreign",
    message: `Program ${programId} is not a diode: it has no ${role} map of ours`,
    hint: "another program, or another version of vei, put it there",
    exit: Exit.config,
  });
}
