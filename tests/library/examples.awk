# examples.awk: prints the example in a header's first comment, a program: the lines indented by five spaces behind " *" that follow "Example".
/^ \*\// { exit }
/^ \* Example/ { found = 1; next }
found && /^ \*     / { print substr($0, 8); next }
found && /^ \*$/ { print ""; next }
found { found = 0 }
