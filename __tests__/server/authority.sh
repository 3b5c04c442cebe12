# Runs inside a copy of a bare tree of bookworm (see in-tree.sh): makes it a certificate authority with the DNS that it
# asks. Pebble and its challenge server (here: the DNS of the test names) are one Debian package, dnsmasq hands other
# names on to the host's resolver, nginx is Pebble's front, sslscan looks at the sites it certified. Nothing starts by
# itself: authority-start.sh does that.
# shellcheck shell=sh
set -eu

printf '%s\n' '#!/bin/sh' 'exit 101' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
apt-get -qq update
apt-get -qq -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 \
  install pebble dnsmasq-base nginx-light openssl sslscan > /dev/null
apt-get clean
rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled/default /usr/sbin/policy-rc.d
systemctl -q disable nginx

# service NAME LINE...
service() {
  file=/etc/systemd/system/$1.service
  shift
  printf '%s\n' '[Service]' "$@" > "$file"
}
mkdir /etc/authority
# (no default addresses: a name without an address has none, rather than this machine's)
service challtestsrv 'ExecStart=/usr/bin/pebble-challtestsrv -defaultIPv4 "" -defaultIPv6 "" -dns01 127.0.0.1:8053 \
  -http01 "" -https01 "" -tlsalpn01 "" -management :8055'
# No cache: what a test says of a name is so at once. The file of servers is read again at SIGHUP.
# shellcheck disable=SC2016 # systemd's own variable
service dnsmasq 'ExecStart=/usr/sbin/dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --no-hosts \
  --cache-size=0 --resolv-file=/etc/authority/upstream --servers-file=/etc/authority/names' 'ExecReload=/bin/kill -HUP $MAINPID'
# Pebble's waits at random, and its random refusals of good nonces (certbot gives up at the second in a row), have no
# place in a test.
service pebble 'ExecStart=/usr/bin/pebble -config /etc/authority/pebble.json -dnsserver 127.0.0.1:53 -strict' \
  'Environment=PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0'

cat > /etc/nginx/conf.d/authority.conf << 'EOF'
log_format authority '$request_method $request_uri $status';
map $http_user_agent $client {
  harness 0;
  default 1;
}
server {
  listen 443 ssl;
  ssl_certificate /etc/authority/api.pem;
  ssl_certificate_key /etc/authority/api.key;
  access_log /var/log/nginx/authority.log authority if=$client;
  include /etc/authority/refusal*.conf;
  location / {
    proxy_pass https://127.0.0.1:14000;
    proxy_set_header Host $http_host;
    proxy_read_timeout 60s;
  }
}
# What a name finds that was led here in error.
server {
  listen 80 default_server;
  access_log off;
  return 404;
}
EOF
