/** Where an instance keeps what it has. */

/** Path and what is there; NAME is the instance's name, `vei` unless `--instance` says another. */
export const FILES: readonly (readonly [path: string, what: string])[] = [
  ["/etc/NAME/vei.toml", "the configuration; without it every key has its default"],
  ["/etc/vei/trusted_keys", "public keys that `vei verify` trusts, one a line"],
  ["/etc/vei/policies/", "the policies, NAME.toml; they go before those in the program"],
  ["/var/lib/NAME/node.key", "the key that signs receipts; whoever reads it can forge them"],
  ["/var/lib/NAME/receipts.log", "every receipt, in order; nothing is ever taken out of it"],
  ["/var/lib/NAME/kv.db", "an index of the receipts, which is made anew when it is missing"],
  ["/var/lib/NAME/policies/", "compiled policies; may be removed"],
  ["/var/lib/NAME/images/", "the virtual machine's images, by digest"],
  ["/var/lib/NAME/models/", "the models' weights, by digest"],
  ["/run/NAME/", "sockets, and where the daemon listens"],
  ["/run/netns/NAME0", "the network namespace of the wire"],
  ["/sys/fs/bpf/NAME/", "the pinned diode, which outlives the daemon"],
  [
    "/var/cache/vei/, ~/.cache/vei/",
    "compiled policies of `vei filter`; may be removed",
  ],
  ["~/.local/state/NAME/", "the state folder where the caller is not root"],
  ["~/.config/NAME/vei.toml", "the configuration where the caller is not root"],
];
