#!/bin/sh
# Writes a Masqbox image to a CompactFlash card, a disk, a floppy or a plain file, and reads it back.
# Needs coreutils and util-linux; --config also gzip, because a gzip file ends with the CRC-32 of its
# contents, which is the one that the board checks: no other tool of a bare system computes it, and nobody
# should need Node to flash a card. Where Node and the repository's packages are there, the firmware itself checks
# the configuration's lines (tools/check-config.ts).
set -eu

sector=512
config_sector=63      # src/base/layout.ts: CONFIG_SECTOR
config_sectors=32     # CONFIG_SECTORS
config_more=2686      # CONFIG_MORE_SECTOR
config_text_max=65536 # CONFIG_TEXT_MAX
chunk=147456          # what is written and compared at a time: a tenth of an image

usage() {
  cat <<'END'
Usage: ./flash.sh [--force] [--yes] [--config FILE [--unchecked]] IMAGE TARGET

Writes IMAGE (build/masqbox.img) to TARGET and compares what it reads back.
TARGET is a whole disk (/dev/sdX) or a plain file. All that TARGET holds is lost.

  --config FILE  put this configuration in (lines as typed at the console)
  --unchecked    also if the firmware would refuse some of its lines
  --force        write to a disk that is not removable
  -y, --yes      do not ask before a disk is written to
  -h, --help     this text

Refused: a TARGET that is mounted (also in part), missing, smaller than IMAGE,
a partition, or a fixed disk without --force.
END
}

fail() {
  echo "$*" >&2
  exit 1
}

# A 32-bit number as four bytes, lowest first.
le32() {
  for shift in 0 8 16 24; do
    printf "\\$(printf %03o $(($1 >> shift & 255)))"
  done
}

# A saved configuration as the board reads it: header (src/base/layout.ts) and text.
config_record() {
  length=$(wc -c <"$1")
  {
    printf MQCF
    le32 1
    le32 1
    le32 "$length"
  } >"$scratch/header"
  cat "$scratch/header"
  cat "$scratch/header" "$1" | gzip -c | tail -c 8 | head -c 4
  head -c 12 /dev/zero
  cat "$1"
}

put_config() {
  [ -f "$1" ] && [ -r "$1" ] || fail "Cannot read configuration $1: no such file"
  length=$(wc -c <"$1")
  [ "$length" -le "$config_text_max" ] ||
    fail "Cannot store configuration $1: it has $length bytes, and $config_text_max fit"
  [ "$(tr -d '\000' <"$1" | wc -c)" -eq "$length" ] ||
    fail "Cannot store configuration $1: it is not a text"
  check_lines "$1"
  command -v gzip >/dev/null || fail "Cannot store configuration $1: gzip is not installed"
  config_record "$1" >"$scratch/config"
  dd if="$scratch/config" of="$scratch/image" bs=$sector count=$config_sectors seek=$config_sector conv=notrunc status=none
  [ "$(wc -c <"$scratch/config")" -le $((config_sectors * sector)) ] ||
    dd if="$scratch/config" of="$scratch/image" bs=$sector skip=$config_sectors seek=$config_more conv=notrunc status=none
}

# Lets the firmware of this repository read the lines, where Node can run it.
check_lines() {
  [ "$unchecked" = no ] || return 0
  root=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
  if ! command -v node >/dev/null || [ ! -d "$root/node_modules/tsx" ]; then
    echo "The lines of $1 are not checked: that needs Node and npm ci" >&2
    return 0
  fi
  status=0
  file=$(CDPATH= cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
  said=$(cd "$root" && exec 2>"$scratch/trouble" && node tools/node-version.cjs && node --import=tsx tools/check-config.ts "$file") ||
    status=$?
  case $status in
    0) ;;
    1)
      echo "$said" >&2
      fail "Cannot store configuration $1: the board would refuse these lines (--unchecked stores it all the same)"
      ;;
    *) echo "The lines of $1 are not checked: $(tail -n 1 "$scratch/trouble")" >&2 ;;
  esac
}

# Says why a block device must not be written to, if there is a reason.
check_device() {
  type=$(lsblk -dnro TYPE "$1" 2>/dev/null) || fail "Cannot write to $1: lsblk does not know it"
  [ "$type" != part ] || fail "Cannot write to $1: it is a partition, and a board boots from a whole disk"
  used=$(lsblk -nro MOUNTPOINT "$1" | grep -v '^$' | head -n 1 || true)
  [ -z "$used" ] || fail "Cannot write to $1: it is in use at $used; unmount it first"
  [ -w "$1" ] || fail "Cannot write to $1: permission denied; run this as root"
  [ "$(blockdev --getro "$1")" = 0 ] || fail "Cannot write to $1: it is write-protected"
  room=$(blockdev --getsize64 "$1")
  [ "$room" -ge "$size" ] || fail "Cannot write to $1: it has $room bytes, and the image has $size"
  if [ "$force" = no ] && [ "$(lsblk -dnro RM,HOTPLUG "$1" | tr -d ' ')" = 00 ]; then
    fail "Cannot write to $1: it is a fixed disk; add --force if it is the right one"
  fi
}

# What a disk is called and how large it is, so that a wrong letter is seen.
describe_device() {
  set -- "$1" "$(lsblk -dnro VENDOR,MODEL "$1" | sed 's/\\x20/ /g; s/  */ /g; s/^ //; s/ $//')" "$(lsblk -dnro SIZE "$1")"
  echo "$1: ${2:-a disk without a name}, $3"
}

# Asks whether a disk is the right one; nobody is there to answer where standard input is no terminal.
confirm_device() {
  [ "$yes" = no ] || return 0
  [ -t 0 ] || fail "Cannot ask whether $1 is the right disk: there is no terminal; add --yes"
  echo "$(describe_device "$1"). All that it holds will be lost." >&2
  printf 'Write to it? (yes or no) ' >&2
  read -r answer || answer=no
  case $answer in
    y | yes | Y | YES | Yes) ;;
    *) fail "Nothing was written" ;;
  esac
}

check_target() {
  if [ -b "$1" ]; then
    check_device "$1"
  elif [ -d "$1" ]; then
    fail "Cannot write to $1: it is a directory"
  elif [ -e "$1" ]; then
    [ -f "$1" ] || fail "Cannot write to $1: it is neither a disk nor a plain file"
    [ -w "$1" ] || fail "Cannot write to $1: permission denied"
    ! [ "$1" -ef "$image" ] || fail "Cannot write to $1: it is the image itself"
  else
    case $1 in
      /dev/*) fail "Cannot write to $1: no such device" ;;
    esac
    [ -d "$(dirname "$1")" ] || fail "Cannot write to $1: no such directory"
  fi
}

check_image() {
  [ -f "$1" ] && [ -r "$1" ] || fail "Cannot read image $1: no such file (npm run image builds it)"
  size=$(wc -c <"$1")
  [ "$size" -gt 0 ] && [ $((size % sector)) -eq 0 ] && [ "$(dd if="$1" bs=1 skip=3 count=7 status=none)" = MASQBOX ] ||
    fail "Cannot flash $1: it is not a Masqbox image"
}

# On a terminal the line is written again and again, otherwise once.
progress() {
  percent=$((($2 < size ? $2 : size) * 100 / size))
  if [ -t 2 ]; then
    printf '\r%s %s: %3d %%' "$1" "$target" "$percent" >&2
    [ "$percent" -lt 100 ] || echo >&2
  elif [ "$percent" -eq 100 ]; then
    echo "$1 $target: 100 %" >&2
  fi
}

# A disk's chunks are waited for one by one, so that the progress shown is that of the card.
write_image() {
  how=notrunc
  [ ! -b "$target" ] || how=notrunc,fsync
  at=0
  while [ $((at * chunk)) -lt "$size" ]; do
    dd if="$scratch/image" of="$target" bs=$chunk skip=$at seek=$at count=1 conv=$how status=none ||
      fail "Cannot write to $target: error at byte $((at * chunk))"
    at=$((at + 1))
    progress Writing $((at * chunk))
  done
}

# Where TARGET is larger than an image, what follows is slot B. A newer update that is left there from before
# must not be taken for this image's: its header goes.
clear_slot_b() {
  if [ -b "$target" ]; then room=$(blockdev --getsize64 "$target"); else room=$(wc -c <"$target"); fi
  [ "$room" -lt $((size + sector)) ] ||
    dd if=/dev/zero of="$target" bs=$sector seek=$((size / sector)) count=1 conv=$how status=none ||
    fail "Cannot write to $target: error at byte $size"
}

# The checksum of one chunk of a file, no more of it than the image has.
sum_of() {
  dd if="$1" bs=$chunk skip="$2" count=1 status=none | head -c $((size - $2 * chunk)) | sha256sum
}

compare_image() {
  # What is compared must come from the card, not from memory.
  [ ! -b "$target" ] || blockdev --flushbufs "$target"
  at=0
  while [ $((at * chunk)) -lt "$size" ]; do
    [ "$(sum_of "$scratch/image" $at)" = "$(sum_of "$target" $at)" ] ||
      fail "Cannot trust $target: what it gives back differs between bytes $((at * chunk)) and $(((at + 1) * chunk))"
    at=$((at + 1))
    progress Comparing $((at * chunk))
  done
}

interrupted() {
  [ ! -t 2 ] || echo >&2
  case $state in
    new) fail "Interrupted: nothing was written to $target" ;;
    writing) fail "Interrupted: $target holds no whole image now and will not boot; write it again" ;;
    written) fail "Interrupted: $target is written, and not all of it was compared; write it again to be sure" ;;
  esac
}

force=no
yes=no
unchecked=no
config=
state=new
image=
target=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    -y | --yes) yes=yes ;;
    --force) force=yes ;;
    --unchecked) unchecked=yes ;;
    --config)
      [ -n "${2-}" ] || fail "Cannot use --config: the FILE is missing (see --help)"
      config=$2
      shift
      ;;
    --config=*)
      config=${1#--config=}
      [ -n "$config" ] || fail "Cannot use --config=: the FILE is missing (see --help)"
      ;;
    -*) fail "Cannot use option $1: there is none of that name (see --help)" ;;
    *)
      if [ -z "$image" ]; then image=$1
      elif [ -z "$target" ]; then target=$1
      else fail "Cannot use $1: IMAGE and TARGET are enough (see --help)"
      fi
      ;;
  esac
  shift
done
[ -n "$target" ] || { usage >&2; exit 1; }

check_image "$image"
check_target "$target"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap interrupted HUP INT TERM
cp "$image" "$scratch/image"
chmod u+w "$scratch/image"
[ -z "$config" ] || put_config "$config"
[ ! -b "$target" ] || confirm_device "$target"
state=writing
write_image
clear_slot_b
state=written
compare_image
echo "$target holds $image${config:+ with configuration $config}"
