#!/usr/bin/awk -f
# A mapper: for each word a line "WORD<TAB>1".
#
#     quern stream --map 'awk -f words.awk' --reduce 'awk -f sum.awk' --files words.awk,sum.awk -i INPUT -o OUTPUT
{
	for (i = 1; i <= NF; i++)
		print $i "\t" 1
}
