#!/bin/busybox sh
# First program of the guest, in the initial RAM disk: brings up the two disks' driver and goes over
# to the read-only root. Whatever fails here powers the machine off: a half-started guest serves
# nobody, and the host counts an attempt.
export PATH=/bin

give_up() {
  poweroff -f
  while :; do sleep 1; done
}

/bin/busybox mkdir -p /proc /sys /dev /mnt
/bin/busybox --install -s /bin
mount -t proc proc /proc || give_up
mount -t sysfs sys /sys || give_up
mount -t devtmpfs dev /dev || give_up
# Nothing is printed: a console would be a second way out of the guest.
exec </dev/null >/dev/null 2>&1

# Their names begin with their place in the order of dependence.
for module in /modules/*.ko; do
  insmod "$module"
done

tries=0
while [ ! -b /dev/vda ] || [ ! -b /dev/vdb ]; do
  [ "$tries" -lt 250 ] || give_up
  tries=$((tries + 1))
  usleep 20000
done

mount -t squashfs -o ro /dev/vda /mnt || give_up
mount -t tmpfs -o size=8m,mode=0755 tmp /mnt/tmp || give_up
for folder in proc sys dev; do
  mount --move "/$folder" "/mnt/$folder" || give_up
done
exec switch_root /mnt /usr/bin/busybox sh /etc/vei/serve.sh
give_up
