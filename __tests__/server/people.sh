# Runs inside a fresh tree (see in-tree.sh): who may enter, by which keys, and what stays quiet while tests run.
# shellcheck shell=sh
set -eu

update-ca-certificates > /dev/null 2>&1

echo server > /etc/hostname
printf '%s\n' '127.0.0.1 localhost' '::1 localhost ip6-localhost ip6-loopback' '127.0.1.1 server' > /etc/hosts

# root: by key. deploy: sudo without a password. asker: sudo asks for it.
useradd --create-home --shell /bin/bash deploy
useradd --create-home --shell /bin/bash asker
echo 'asker:correct horse' | chpasswd
echo 'deploy ALL=(ALL:ALL) NOPASSWD:ALL' > /etc/sudoers.d/deploy
echo 'asker ALL=(ALL:ALL) ALL' > /etc/sudoers.d/asker
chmod 0440 /etc/sudoers.d/deploy /etc/sudoers.d/asker
chmod 0700 /root/.ssh
chmod 0600 /root/.ssh/authorized_keys
for user in deploy asker; do
  install -d -m 0700 -o "$user" -g "$user" "/home/$user/.ssh"
  install -m 0600 -o "$user" -g "$user" /root/.ssh/authorized_keys "/home/$user/.ssh/authorized_keys"
done

for type in ed25519 rsa ecdsa; do
  rm -f "/etc/ssh/ssh_host_${type}_key" "/etc/ssh/ssh_host_${type}_key.pub"
  ssh-keygen -q -t "$type" -N '' -C "$type of a test server" -f "/etc/ssh/ssh_host_${type}_key"
done
mkdir -p /run/sshd /etc/ssh/sshd_config.d
tests=/etc/ssh/sshd_config.d/50-tests.conf
printf '%s\n' 'PermitRootLogin prohibit-password' 'MaxStartups 200:30:400' 'MaxSessions 100' > "$tests"
# Since 9.8 sshd shuts out an address that failed often; every test comes from one address.
echo 'PerSourcePenalties no' > /run/penalties.conf
if sshd -t -f /run/penalties.conf 2> /dev/null; then
  cat /run/penalties.conf >> "$tests"
fi
sshd -t

# The host gives a server its address and resolver. Timers would take apt's lock at a moment of their own choosing.
# First-boot questions and consoles only cost time. Masking a unit that is not there does no harm.
for unit in systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service \
  systemd-resolved.service systemd-firstboot.service console-getty.service getty@tty1.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer man-db.timer motd-news.timer; do
  ln -sf /dev/null "/etc/systemd/system/$unit"
done
