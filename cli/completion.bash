# Completion of quern for bash. Commands and options are asked of quern itself, so there is no list here to be kept.

# The options of `$1 $2...`, as -x, --name or --name=; of a command that there is not, none.
_quern_options()
{
	"$@" --help 2>/dev/null | grep -oE -- '(^|[[:space:]])-(-[a-z][a-z-]*=?|[A-Za-z])' | tr -d ' \t' | sort -u
}

# The commands of quern, or of `quern fs` or `quern bench`.
_quern_commands()
{
	"$@" --help 2>/dev/null | sed -nE 's/^  ([a-z]+) .*/\1/p'
}

# What may stand behind `--name=`.
_quern_values()
{
	case $1 in
	--mode | --modes) compgen -W 'coarse fine adaptive' -- "$2" ;;
	--shuffle-compression) compgen -W "off $(seq -s ' ' 19)" -- "$2" ;;
	--master) compgen -W 'local[ local[*] zk:// file://' -- "$2" ;;
	--work-dir) compgen -d -- "$2" ;;
	*) compgen -f -- "$2" ;;
	esac
}

_quern()
{
	# bash takes words apart at "=", which the words of the line so far put together again.
	local line=${COMP_LINE:0:COMP_POINT} program=${COMP_WORDS[0]} command=${COMP_WORDS[1]-}
	local word=${line##*[[:space:]]} option of=("$command")

	# These have commands of their own.
	((COMP_CWORD > 2)) && [[ $command == @(fs|bench) && ${COMP_WORDS[2]} == [a-z]* ]] && of+=("${COMP_WORDS[2]}")

	COMPREPLY=()
	compopt +o nospace 2>/dev/null
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(_quern_commands "$program") help" -- "$word")
	elif [[ $command == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_quern_commands "$program")" -- "$word")
	elif ((COMP_CWORD == 2)) && [[ $command == @(fs|bench) && $word != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_quern_commands "$program" "$command")" -- "$word")
	elif [[ $word == --*=* ]]; then
		option=${word%%=*}
		mapfile -t COMPREPLY < <(_quern_values "$option" "${word#*=}")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_quern_options "$program" "${of[@]}")" -- "$word")
		[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == --* ]]; then
		mapfile -t COMPREPLY < <(_quern_values "${COMP_WORDS[COMP_CWORD - 1]}" "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -o filenames -F _quern quern
