import { assertEquals } from "@std/assert";
import { cleaner, knownSentence } from "./report_clean.ts";

const clean = cleaner({
  names: ["box7", "alice", "my-model"],
  values: ["hunter2hunter2"],
  places: [["/srv/x", "state"], ["/srv/x/run", "run"], ["/h/alice", "home"]],
  addresses: ["172.30.0.1", "172.30.0.11"],
});

const CASES: [what: string, text: string, cleaned: string][] = [
  ["a host's name, in any case", "on Box7.", "on <hidden>."],
  ["part of another word stays", "box70 malice", "box70 malice"],
  ["a user", "by alice at night", "by <hidden> at night"],
  ["a variable's value, wherever", "xhunter2hunter2y", "x<hidden>y"],
  ["a known place, the longest first", "/srv/x/run/qmp.sock, /srv/x", "<run>/qmp.sock, <state>"],
  ["a home", "cannot read /h/alice/x.toml", "cannot read <home>/x.toml"],
  ["another path", "Cannot read /opt/mine/p.toml: no", "Cannot read <path> no"],
  [
    "the system's paths stay",
    "/usr/bin/bwrap and /run/netns/vei0",
    "/usr/bin/bwrap and /run/netns/vei0",
  ],
  ["a web address", "from https://u:p@mirror.example/x?t=1 now", "from <url> now"],
  ["a mail address", "ask bob@example.org", "ask <mail>"],
  [
    "other addresses",
    "10.1.2.3:80 and fe80::1 and 2001:db8::5",
    "<address>:80 and <address> and <address>",
  ],
  ["a hardware address", "at 52:54:00:12:34:56", "at <address>"],
  ["the link's own and the loopback", "172.30.0.11 127.0.0.1:8787", "172.30.0.11 127.0.0.1:8787"],
  [
    "times and versions stay",
    "2026-01-02T03:04:05Z QEMU 7.2.22",
    "2026-01-02T03:04:05Z QEMU 7.2.22",
  ],
  ["hexadecimal", `${"0a".repeat(32)}`, "<hex>"],
  ["a digest that says so stays", `sha256:${"0a".repeat(32)}`, `sha256:${"0a".repeat(32)}`],
  ["base64", "MC4CAQAwBQYDK2VwBCIEIABCDEFabcdef0123456789", "<encoded>"],
  ["a key in PEM", "x -----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- y", "x <key> y"],
  ["packages stay", "apt-get install qemu-system-x86", "apt-get install qemu-system-x86"],
];

for (const [what, text, cleaned] of CASES) {
  Deno.test(`cleaned: ${what}`, () => assertEquals(clean(text), cleaned));
}

Deno.test("only our own sentences stay of a log", () => {
  const uuid = "01890a5d-ac96-774b-bcce-b302099a8057";
  const drop = "dropped a frame of 70 bytes, reason payload at payload byte 3, " +
    "172.30.0.11:8080 → 172.30.0.1:40000 (sent again)";
  const kept = [
    drop,
    "tap up behind the diode",
    "ready after 4.2 s, QEMU's pid 12",
    `recorded drops outside of a request, receipt ${uuid}`,
  ];
  for (const sentence of kept) assertEquals(knownSentence(sentence), sentence);
  const cut: [string, string][] = [
    ["the prompt was: how do I", "(24 characters left out)"],
    ["GATE LOST: secret", "GATE LOST:  (6 characters left out)"],
    ["tap up behind the diode, said the guest", "tap up behind the diode (16 characters left out)"],
    [
      "diode my-own attached and pinned: link 3, program 4",
      "attached and pinned: link 3, program 4",
    ],
    [
      "attempt 1 failed: nothing answered within 45 s; QEMU's last words: x",
      "attempt 1 failed: nothing answered within 45 s (22 characters left out)",
    ],
  ];
  for (const [message, wanted] of cut) assertEquals(knownSentence(message), wanted);
});
