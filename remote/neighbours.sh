# Who else is on this server's web ports, and which sites nginx has beside ours: what a deploy would run into. Told with the
# facts; nothing here changes anything.
# shellcheck shell=sh

# The unit that a process belongs to, by its control group (cgroups(7): `0::PATH`, with version 1 `1:name=systemd:PATH`).
# $1: process ID
unit_of_process() {
  sed -n 's,^\(0::\|[0-9]*:name=systemd:\).*/\([^/]*\.\(service\|scope\|socket\)\)\(/.*\)\{0\,1\}$,\2,p' "/proc/$1/cgroup" 2>/dev/null | head -n 1
}

# The process that has a socket open.
# $1: the socket's inode
holder_of() {
  for of in $(find /proc/[0-9]*/fd -lname "socket:\[$1\]" 2>/dev/null | sed -n 's,^/proc/\([0-9]*\)/.*,\1,p' | sort -n); do
    printf '%s' "$of"
    return 0
  done
}

# systemd's own socket, by the unit that asked for it.
# $1: port
socket_unit() {
  systemctl list-sockets --no-legend --plain 2>/dev/null | while read -r address unit _; do
    case $address in *:"$1") printf '%s' "$unit" && break ;; esac
  done
}

# The listeners on ports 80 and 443, but for nginx's. From the kernel's own lists (proc(5), /proc/net/tcp: state 0A listens,
# the tenth word is the socket's inode), for a server need not have ss.
listeners() {
  own=''
  if [ -r /run/nginx.pid ] && read -r pid </run/nginx.pid && [ "$(unit_of_process "$pid")" = nginx.service ]; then
    # shellcheck disable=SC2012 # names of ours: numbers
    own=$(ls -l "/proc/$pid/fd" 2>/dev/null)
  fi
  grep -hE '^ *[0-9]+: [0-9A-F]+:(0050|01BB) [0-9A-F:]+ 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    while read -r _ local _ _ _ _ _ _ _ inode _; do
      case $own in *"socket:[$inode]"*) continue ;; esac
      case $local in *:0050) port=80 ;; *) port=443 ;; esac
      pid=$(holder_of "$inode")
      command='' unit=''
      if [ -n "$pid" ]; then
        unit=$(unit_of_process "$pid")
        # shellcheck disable=SC2015 # what is not to be read is empty
        [ "$unit" != nginx.service ] || continue
        read -r command <"/proc/$pid/comm" || command=''
        [ "$pid" != 1 ] || unit=$(socket_unit "$port")
      fi
      fact port "$port ${unit:--} $command"
    done | sort -u
}

# What the server is run by, where that is a panel: it has web servers of its own.
panels() {
  for one in Plesk:/usr/local/psa CyberPanel:/usr/local/CyberCP cPanel:/usr/local/cpanel DirectAdmin:/usr/local/directadmin \
    HestiaCP:/usr/local/hestia ISPConfig:/usr/local/ispconfig aaPanel:/www/server/panel; do
    [ ! -d "${one#*:}" ] || fact panel "${one%%:*}"
  done
}

# Web servers that are stopped, and would take the ports at the next boot.
waiting_servers() {
  wants=/etc/systemd/system/multi-user.target.wants
  for one in apache2 httpd caddy lighttpd lshttpd lsws openresty; do
    [ -L "$wants/$one.service" ] || continue
    ! systemctl --quiet is-active "$one.service" || continue
    # Apache may have been given other ports.
    [ "$one" != apache2 ] || grep -qsE '^[[:space:]]*Listen[[:space:]]+([^[:space:]]*:)?(80|443)([[:space:]]|$)' /etc/apache2/ports.conf || continue
    fact waits "$one.service"
  done
}

# What has become of nginx's own unit: stopped, not started at boot, or masked (systemctl(1): a link to /dev/null).
nginx_unit() {
  for one in /etc/systemd/system /run/systemd/system; do
    [ "$(readlink "$one/nginx.service" 2>/dev/null)" != /dev/null ] || fact nginx-unit masked
  done
  [ -L /etc/systemd/system/multi-user.target.wants/nginx.service ] || fact nginx-unit disabled
  systemctl --quiet is-active nginx.service || fact nginx-unit stopped
}

# The files that nginx reads, as its `include` lines have them, three levels deep.
nginx_files() {
  files=/etc/nginx/nginx.conf all=''
  for _ in 1 2 3; do
    [ -n "$files" ] || break
    all="$all $files"
    # shellcheck disable=SC2086 # words without blanks
    patterns=$(sed -n 's/^[[:space:]]*include[[:space:]]\{1,\}\([^;#[:space:]]*\)[[:space:]]*;.*/\1/p' $files 2>/dev/null | sort -u)
    files=''
    for pattern in $patterns; do
      case $pattern in /*) ;; *) pattern=/etc/nginx/$pattern ;; esac
      for file in $pattern; do
        case " $all $files " in *" $file "*) continue ;; esac
        # What is ours is known by its bytes; types and modules have no sites.
        case $file in
          */"web-$name.conf" | */00-flask-deploy-default.conf | */00-flask-deploy-default-tls.conf) ;;
          */modules-enabled/* | */mime.types) ;;
          *) [ ! -f "$file" ] || files="$files $file" ;;
        esac
      done
    done
  done
  printf '%s' "$all"
}

# The sites in these files that have one of our names, and those that answer for every other name.
# $domains: the names, one after the other
other_sites() {
  # shellcheck disable=SC2046 # words without blanks
  LC_ALL=C awk -v wanted=" $domains " '
    function told(   i, j) {
      if (ports == "") ports = "80"
      amount = split(ports, port, " ")
      for (i = 1; i <= amount; i++) {
        if (first_for ~ (" " port[i] " ")) printf "default-site %s %d %s\n", port[i], began, FILENAME
        for (j = 1; j <= count; j++) printf "site %s %s %d %s\n", port[i], name[j], line[j], FILENAME
      }
    }
    FNR == 1 { depth = 0; server = 0; word = "" }
    {
      text = $0
      gsub(/\\./, "", text)
      if (text ~ /server_name/) gsub(/["\047]/, "", text)
      gsub(/"[^"]*"|\047[^\047]*\047/, "q", text)
      sub(/#.*/, "", text)
      gsub(/[;{}]/, " & ", text)
      words = split(text, part, /[ \t\r]+/)
      for (at = 1; at <= words; at++) {
        one = part[at]
        if (one == "") continue
        if (one == "{") {
          depth++
          if (word == "server" && !server) { server = depth; ports = ""; first_for = " "; count = 0; began = FNR }
          word = ""
        } else if (one == "}") {
          if (server && server == depth) { told(); server = 0 }
          depth--
          word = ""
        } else if (one == ";") word = ""
        else if (word == "") { word = one; listens = "" }
        else if (server && server == depth) {
          one = tolower(one)
          if (word == "server_name" && index(wanted, " " one " ")) { count++; name[count] = one; line[count] = FNR }
          if (word == "listen" && listens == "") {
            listens = one ~ /^unix:/ ? "-" : one ~ /:[0-9]+$/ ? one : one ~ /^[0-9]+$/ ? one : "80"
            sub(/.*:/, "", listens)
            if (listens != "-" && (" " ports " ") !~ (" " listens " ")) ports = ports (ports == "" ? "" : " ") listens
            if (listens == "-" && ports == "") ports = "-"
          } else if (word == "listen" && (one == "default_server" || one == "default")) first_for = first_for listens " "
        }
      }
    }' $(nginx_files) 2>/dev/null | grep -v ' - ' | sort -u | head -n 50
}

# $domains: the names that the site is to have, one after the other
neighbours() {
  listeners
  panels
  waiting_servers
  if command -v nginx >/dev/null; then
    nginx_unit
    other_sites | while IFS= read -r found; do
      case $found in "default-site "*/sites-enabled/default) ! stock_default || continue ;; esac
      fact "$found"
    done
  fi
}
