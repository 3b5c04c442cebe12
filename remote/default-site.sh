# Told with the facts, and known to the program.
# shellcheck shell=sh

# The distribution's own default site, as dpkg installed it: nobody put anything into it.
stock_default() {
  [ "$(readlink -f /etc/nginx/sites-enabled/default 2>/dev/null)" = /etc/nginx/sites-available/default ] || return 1
  IFS=' ' read -r sum _ <<SUM
$(md5sum /etc/nginx/sites-available/default)
SUM
  # shellcheck disable=SC2016 # dpkg's own field syntax
  dpkg-query -W -f '${Conffiles}\n' nginx-common nginx 2>/dev/null | grep -qF "/etc/nginx/sites-available/default $sum"
}
