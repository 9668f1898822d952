# The guest's only job, in the read-only root: one network address, one neighbour, one server. When
# the server ends, the machine powers off, and the host starts another.
export PATH=/usr/bin
for applet in arp cat ip ln poweroff sleep; do
  eval "$applet() { /usr/bin/busybox $applet \"\$@\"; }"
done

give_up() {
  poweroff -f
  while :; do sleep 1; done
}

console=off
for word in $(cat /proc/cmdline); do
  case $word in
    vei.ip=*) address=${word#*=} ;;
    vei.peer=*) peer=${word#*=} ;;
    vei.peermac=*) peer_mac=${word#*=} ;;
    vei.threads=*) threads=${word#*=} ;;
    vei.context=*) context=${word#*=} ;;
    vei.port=*) port=${word#*=} ;;
    vei.console=*) console=${word#*=} ;;
  esac
done
# The host decides whether there is a console at all; without one nobody listens.
if [ "$console" = on ]; then
  exec </dev/null >/dev/console 2>&1
else
  exec </dev/null >/dev/null 2>&1
fi
[ -n "$address" ] && [ -n "$peer" ] && [ -n "$peer_mac" ] && [ -n "$port" ] || give_up

# Only what the diode lets through is worth sending: no TCP options besides those of the SYN-ACK, no
# ECN bits, no IPv6 and its announcements. The one neighbour is known, so nothing is asked by ARP.
set_kernel() { echo "$2" >"/proc/sys/net/$1"; }
set_kernel ipv4/tcp_timestamps 0
set_kernel ipv4/tcp_sack 0
set_kernel ipv4/tcp_ecn 0
for scope in all default lo eth0; do
  [ ! -e "/proc/sys/net/ipv6/conf/$scope" ] || set_kernel "ipv6/conf/$scope/disable_ipv6" 1
done
ip link set lo up
ip link set eth0 mtu 1500 up || give_up
ip addr add "$address" peer "$peer/32" dev eth0 || give_up
arp -i eth0 -s "$peer" "$peer_mac" || give_up

# The model's file is the disk itself: what the host hashed is what the server maps.
ln -s /dev/vdb /tmp/model.gguf || give_up

# Waiting threads that spin take the whole of an emulated processor from those that work.
# Progress is told, and a cancelled request stops, between batches only; counted in instructions,
# batches of 4, 8 and 32 tokens read a prompt equally fast. Unless told otherwise the server would
# keep up to 8 GB of past conversations: none is kept, for memory's sake and theirs.
export HOME=/tmp OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=0
/usr/bin/llama-server -m /tmp/model.gguf --host 0.0.0.0 --port "$port" \
  -t "${threads:-1}" -c "${context:-512}" -b 8 -ub 8 -np 1 \
  --cache-ram 0 --no-cache-prompt --no-slots --no-ui \
  --no-warmup --fit off --offline --log-colors off
give_up
