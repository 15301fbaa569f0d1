#!/bin/sh
# Called by udhcpc with what happened as $1 and the lease in the environment. /run/network.lease is there while one is.
case $1 in
  deconfig)
    /bin/busybox rm -f /run/network.lease
    /bin/busybox ip address flush dev "$interface"
    ;;
  bound | renew)
    /bin/busybox ip address replace "$ip/${mask:-24}" dev "$interface"
    for gateway in $router; do
      /bin/busybox ip route replace default via "$gateway" dev "$interface"
      break
    done
    for server in $dns; do
      echo "nameserver $server"
    done >/etc/resolv.conf
    echo "$interface $ip/${mask:-24}" >/run/network.lease.new
    /bin/busybox mv /run/network.lease.new /run/network.lease
    ;;
esac
