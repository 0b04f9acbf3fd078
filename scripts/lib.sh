# Shared by the scripts in this directory; POSIX sh, sourced, never run.
# shellcheck shell=sh

# Every message goes to standard error: some of the scripts print a result on standard output.
say() {
	printf '%s\n' "$*" >&2
}

# Sets SUDO to the words that make a command run as root (nothing for root). Fails where this user
# cannot become root without a person at the keyboard, and no person is there.
become_root() {
	SUDO=
	[ "$(id -u)" -ne 0 ] || return 0
	command -v sudo >/dev/null 2>&1 || return 1
	SUDO=sudo
	if sudo -n true >/dev/null 2>&1; then
		SUDO='sudo -n'
	elif [ -t 0 ] && [ -t 2 ]; then
		# Ask for the password now, while the output is still shown.
		sudo -v || return 1
	else
		return 1
	fi
}

# Runs a command with its output kept in $LOG.
quietly() {
	printf '$ %s\n' "$*" >>"$LOG"
	"$@" >>"$LOG" 2>&1 </dev/null
}

# A log file that goes away with the script.
open_log() {
	LOG=$(mktemp "${TMPDIR:-/tmp}/manyworlds-XXXXXX")
	trap 'rm -f "$LOG"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# True if apt has package lists to look in.
apt_has_lists() {
	for list in /var/lib/apt/lists/*_Packages*; do
		[ ! -e "$list" ] || return 0
	done
	return 1
}

# The words of an apt-get call that changes the system, run as root.
apt_as_root() {
	# shellcheck disable=SC2086 # SUDO holds zero or more words
	quietly $SUDO env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=120 "$@"
}

# Installs Debian packages; refreshes the package lists only where they are absent or out of date.
apt_install() {
	apt_has_lists || apt_as_root update || return 1
	apt_as_root install --no-install-recommends "$@" && return 0
	apt_as_root update && apt_as_root install --no-install-recommends "$@"
}
