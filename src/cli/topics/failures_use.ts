/** Failures of starting, asking, installing, and of the command line. */
import type { Failure } from "./failure.ts";

export const STARTING: readonly Failure[] = [
  {
    codes: ["not-root"],
    means: "Taps, namespaces and programs in the kernel take root",
    mend: "run it with sudo; `vei ask --model mock` and `vei verify` work without",
    common: true,
  },
  {
    codes: ["daemon-not-running"],
    means: "The command asks the daemon, and none runs for this instance and this user",
    mend: "start it: `vei serve`, or `systemctl start vei`; `--instance` names another one",
    common: true,
  },
  {
    codes: ["daemon-silent", "daemon-refused"],
    means: "The daemon runs but did not answer, or refused the request",
    mend: "`vei status` shows its phase and `vei logs` its last events; while it boots, wait",
    common: true,
  },
  {
    codes: ["port-taken", "listen-failed"],
    means: "The API's address cannot be used, most often because another program listens there",
    mend: "`ss -ltnp` names the program; end it, or choose another address in [api] listen",
    common: true,
  },
  {
    codes: ["state-locked"],
    means: "Another vei process works on the same state folder or instance",
    mend: "stop it (`vei status` shows it), or use another --instance or --state",
    common: true,
  },
  {
    codes: ["state-unwritable", "pins-unwritable"],
    means: "A folder that the daemon writes to cannot be written",
    mend: "run as root, look at the mount (`findmnt -T FOLDER`), or name a folder with --state",
  },
  {
    codes: ["state-newer", "state-format"],
    means: "The state folder was written by a newer vei, or its mark cannot be read",
    mend: "use that version of vei, or name another folder with --state; nothing was changed",
  },
  {
    codes: ["config-invalid"],
    means: "The configuration has a syntax error, an unknown key or a value out of range",
    mend: "mend the place that the message names; `vei help config` lists every key",
    common: true,
  },
  {
    codes: ["config-unreadable"],
    means: "There is a configuration file, but it cannot be read",
    mend: "mend its permissions; vei never takes a default in place of a file it cannot read",
  },
  {
    codes: ["config-needs-restart"],
    means: "The configuration changes what a running daemon cannot take over; nothing was changed",
    mend: "restart the daemon, or take that change back and reload again",
  },
  {
    codes: ["reload-unanswered", "daemon-stopping", "daemon-too-old"],
    means: "The daemon has not reloaded: it is busy starting, about to end, or of an older version",
    mend: "`vei status` and `vei logs` tell how it is; a restart reads the configuration too",
  },
  {
    codes: ["need-missing", "program-missing", "library-missing", "qemu-missing"],
    means: "Something that has to be installed is not there",
    mend: "`sudo vei doctor` names each need and the package that brings it",
    common: true,
  },
  {
    codes: ["program-failed"],
    means: "A program that vei runs ended with an error; its last words stand in the message",
    mend: "run the command in the hint by hand to see all of its output",
  },
];

export const EXCHANGES: readonly Failure[] = [
  {
    codes: ["queue-full"],
    means: "As many requests as [api] max_queue allows are waiting already",
    mend: "try again later, or raise [api] max_queue",
  },
  {
    codes: ["model-silent", "model-refused", "model-unreachable", "model-answer-malformed"],
    means: "The model's server did not answer, or not as it should; the exchange was broken off",
    mend:
      "a prompt may be longer than [enclave] context; else `vei enclave restart` gives a new one",
    common: true,
  },
  {
    codes: ["log-unwritable"],
    means: "A receipt cannot be written, so nothing is answered",
    mend: "free some space or mend the disk; the daemon goes on by itself afterwards",
    common: true,
  },
  {
    codes: ["log-damaged", "log-shortened", "log-unreadable"],
    means: "The receipts' log is not as it was written, or cannot be read",
    mend: "keep the file as it is and restore it from a copy; nothing is added to a damaged log",
    common: true,
  },
  {
    codes: ["index-unusable"],
    means: "The index of the receipts cannot be opened",
    mend: "move kv.db away: it is made anew from the log",
  },
  {
    codes: ["key-missing", "key-mode", "key-unreadable", "key-replaced"],
    means: "The key that signs receipts is gone, changed, or open to others",
    mend: "restore it from a copy; vei never makes a new key beside receipts of an old one",
    common: true,
  },
  {
    codes: ["receipt-unknown"],
    means: "No receipt in this state folder has that id",
    mend: "`vei receipt list` shows them; --state names another folder",
  },
  {
    codes: ["judges-disagree"],
    means: "Two independent implementations disagree on a signature",
    mend: "believe neither; keep the file and report it",
  },
];

export const INSTALLATION: readonly Failure[] = [
  {
    codes: ["file-foreign"],
    means: "A file that vei would install is there already, and something else put it there",
    mend: "move it away and run the same command again; nothing was changed",
  },
  {
    codes: ["install-failed", "manifest-damaged", "program-unreadable"],
    means: "A file cannot be put in its place, or the list of what is installed cannot be read",
    mend: "mend the cause and run the same command again: what was there is unchanged",
  },
  {
    codes: ["user-taken", "user-unknown"],
    means: "The virtual machine needs a user of its own, whose name or number is taken or unknown",
    mend: "give the other user another number (`usermod -u`), or mend the name service",
  },
  {
    codes: ["install-locked"],
    means: "Another vei is being installed, upgraded or removed right now",
    mend: "wait until it is done",
  },
  {
    codes: ["not-compiled", "not-vei", "digest-differs", "version-older"],
    means:
      "The file is not a vei that can be installed: run from its source, another program, not " +
      "what was asked for, or an older one",
    mend:
      "`./install.sh` builds and installs; `vei upgrade --rollback` goes back to the previous one",
  },
  {
    codes: ["not-installed", "previous-missing"],
    means: "There is no installed vei, or no previous one to go back to",
    mend: "run `FILE install` with the program that you want",
  },
  {
    codes: ["trial-failed", "upgrade-rolled-back"],
    means: "The new program does not work here: the one before it is in use",
    mend: "the message says what failed; `sudo FILE doctor` tries each need with the new program",
    common: true,
  },
  {
    codes: ["service-failed"],
    means: "The service was started and does not get ready",
    mend: "`journalctl -u vei` has its own words; `sudo vei doctor` tries each need",
  },
  {
    codes: ["daemon-running"],
    means: "A daemon runs, and what was asked for must not be done under it",
    mend: "end it first: `systemctl stop vei`, or the process that `vei status` names",
  },
];

export const COMMAND_LINE: readonly Failure[] = [
  {
    codes: ["usage", "prompt", "instance-name", "model-url", "payload-too-long"],
    means: "The command line, the prompt or the payload is not right",
    mend: "`vei COMMAND --help` shows what a command takes",
  },
  {
    codes: [
      "file-unreadable",
      "out-unwritable",
      "report-exists",
      "report-unwritable",
      "trusted-keys",
    ],
    means: "A file that the command line names cannot be read or made",
    mend: "look at its path and permissions; a file that is there is not overwritten",
  },
  {
    codes: ["stream-broken"],
    means: "A filter cannot go on reading or writing: a disk is full, say, or a device failed",
    mend: "mend the cause and filter again from the beginning; what was written is allowed",
  },
  {
    codes: ["report-unsafe"],
    means:
      "The report for an issue would have held what must not leave the machine, so none was made",
    mend: "report that, without the bundle: this is a fault of vei",
  },
  {
    codes: ["demo-failed"],
    means: "A step of the demonstration did not show what it should",
    mend: "run `sudo vei doctor`; `vei demo --keep DIR` keeps the daemon's log",
  },
];
