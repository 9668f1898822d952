/**
 * The systemd unit of the daemon, as text. It is written so that what `systemd-analyze security`
 * counts and what the daemon can do without are the same; what stays is explained in the unit.
 */

/**
 * What the daemon keeps of root's rights, and what each is for. Without any one of them it does not
 * start: tests/service takes them away one by one.
 */
export const DAEMON_CAPABILITIES: Readonly<Record<string, string>> = {
  CAP_SYS_ADMIN: "enters the link namespace; opens the diode's program and maps by their numbers",
  CAP_NET_ADMIN: "holds the tap, sets it up and down, attaches the diode to it",
  CAP_SETUID: "gives the virtual machine a user of its own, looks at it and ends it as that user",
  CAP_SETGID: "and a group of its own",
};

/** The system user that the daemon runs as, its number, and what the user databases call it. */
export const DAEMON_USER = { name: "vei", id: 64320, comment: "VEI's daemon" } as const;

/**
 * What `systemd-analyze security` still counts, by its own names, and why it stays. The sum of it is
 * the exposure that tests/service prints and bounds.
 */
export const EXPOSURE: Readonly<Record<string, string>> = {
  PrivateNetwork: "the API listens in the box's network; the daemon itself lives in the link's",
  RestrictAddressFamilies_AF_INET_INET6: "the API, and the one connection to the guest",
  RestrictAddressFamilies_AF_UNIX: "QEMU's monitor, and the API's own inner socket",
  RestrictAddressFamilies_AF_NETLINK: "reads, sets and watches the tap",
  IPAddressDeny: "the guest's address is a private one, not this machine's own",
  CapabilityBoundingSet_CAP_SYS_ADMIN: "see above",
  CapabilityBoundingSet_CAP_NET_ADMIN: "see above",
  CapabilityBoundingSet_CAP_SET_UID_GID_PCAP: "see above",
  AmbientCapabilities: "how a user that is not root comes by them",
  PrivateUsers: "in a user namespace of its own none of them would reach the tap",
  RestrictNamespaces_user: "the jail around QEMU is made of namespaces of every kind",
  RestrictNamespaces_mnt: "the same",
  RestrictNamespaces_pid: "the same",
  RestrictNamespaces_net: "the same; and the daemon enters the link namespace",
  RestrictNamespaces_ipc: "the same",
  RestrictNamespaces_uts: "the same",
  RestrictNamespaces_cgroup: "the same",
  ProtectHostname: "inside the jail the box's name is not to be seen: bubblewrap sets another",
  SystemCallFilter_mount: "bubblewrap mounts the jail's root",
  SystemCallFilter_privileged: "bpf, and becoming the jail's user",
  MemoryDenyWriteExecute: "the JavaScript engine and QEMU's emulation write machine code",
  DeviceAllow: "the tap's device, and KVM's for QEMU",
  ProcSubset: "checks settings of the link in /proc/sys/net",
  RootDirectoryOrRootImage: "takes QEMU and its libraries from the system",
};

/** @returns the text of `vei.service`; the same for everybody, so that a change of it can be seen. */
export function unitText(): string {
  const names = Object.keys(DAEMON_CAPABILITIES).join(" ");
  return [
    ...HEAD,
    `User=${DAEMON_USER.name}`,
    "# What it keeps of root's rights, and what for. Nothing of it reaches QEMU.",
    ...Object.entries(DAEMON_CAPABILITIES).map(([name, why]) => `#   ${name}: ${why}`),
    `CapabilityBoundingSet=${names}`,
    `AmbientCapabilities=${names}`,
    ...REST,
    "",
    "# What systemd-analyze security still counts, and why it stays:",
    ...Object.entries(EXPOSURE).map(([name, why]) => `#   stays: ${name}: ${why}`),
    "",
    ...INSTALL,
    "",
  ].join("\n");
}

const HEAD = String.raw`
# VEI: a language model behind a kernel gate. Made by vei install; change it by a drop-in:
#   systemctl edit vei

[Unit]
Description=VEI, a language model behind a kernel gate
Documentation=man:vei(1)
After=network.target
StartLimitIntervalSec=10min
StartLimitBurst=5

[Service]
# Ready means that a question can be asked: API, gate and virtual machine are up. A boot under
# emulation takes its time; the daemon asks for more with each attempt.
Type=notify
NotifyAccess=main
TimeoutStartSec=2min
# What has to outlast the daemon is made here: bpffs, link namespace, tap. With + it has all rights,
# but still a mount namespace of the unit's own, so nsenter takes it to the box's.
ExecStartPre=+/usr/bin/nsenter --target 1 --mount -- /usr/local/bin/vei prepare
ExecStart=/usr/local/bin/vei serve
# vei.toml is read anew: checked first, applied whole or not at all. A refusal fails the reload.
ExecReload=/usr/local/bin/vei reload

# A sign of life is given each time that diode and link were found as they were raised.
WatchdogSec=30s
WatchdogSignal=SIGKILL
Restart=on-failure
RestartSec=2s
# Usage, data, input, rights, configuration: another start would end the same way.
RestartPreventExitStatus=64 65 66 77 78
# Only the daemon is asked to stop: it drains the API, ends the virtual machine, sets the tap down.
KillMode=mixed
TimeoutStopSec=10s

StateDirectory=vei
StateDirectoryMode=0755
# Kept: it remembers whether KVM works. Nothing is mounted in it; the link namespace lies in
# /run/netns, the diode's pin in /sys/fs/bpf.
RuntimeDirectory=vei
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes
UMask=0077
# Read from /etc/credstore/vei.key if there is one, and used if vei.toml says [receipt]
# key = "vei.key". For an encrypted one: LoadCredentialEncrypted=vei.key:/path in a drop-in.
LoadCredential=vei.key

LimitCORE=0
LimitNOFILE=16384
TasksMax=512
MemoryMax=80%
# The daemon itself starts a virtual machine anew that ran out of memory.
OOMPolicy=continue
`.trim().split("\n").concat("");

const REST = String.raw`
NoNewPrivileges=yes
ProtectSystem=strict
# With ProtectKernelTunables= systemd 252 would leave /run writable.
ReadOnlyPaths=/run -/var/lib/vei/images -/var/lib/vei/models
# A number that bubblewrap lowers in the jail's own user namespace; in the box's own it takes
# CAP_SYS_RESOURCE, which the daemon does not have.
ReadWritePaths=/proc/sys/user
# Of all that is pinned on this box it sees its own diode. (Over /sys/fs/bpf itself
# ProtectKernelTunables= would have the last word.)
TemporaryFileSystem=/sys/fs:ro,mode=0755
BindReadOnlyPaths=/sys/fs/cgroup
BindPaths=-/sys/fs/bpf/vei
ProtectHome=yes
PrivateTmp=yes
PrivateMounts=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectProc=invisible
KeyringMode=private
RemoveIPC=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_NETLINK
# The link's addresses have to be private ones; requests come from this machine.
IPAddressDeny=any
IPAddressAllow=localhost 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16
PrivateDevices=yes
BindPaths=/dev/net/tun -/dev/kvm
DevicePolicy=closed
DeviceAllow=/dev/net/tun rw
DeviceAllow=/dev/kvm rw
SystemCallArchitectures=native
SystemCallFilter=@system-service
# bpf: the diode. seccomp: QEMU's own filter. The others: bubblewrap builds the jail with them.
SystemCallFilter=bpf seccomp mount umount2 pivot_root sethostname
SystemCallFilter=~@resources @keyring
SystemCallErrorNumber=EPERM
`.trim().split("\n");

const INSTALL = ["[Install]", "WantedBy=multi-user.target"];
