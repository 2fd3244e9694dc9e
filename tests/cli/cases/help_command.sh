hardy help >a || exit
hardy --help | cmp - a || exit
hardy help predict >b || exit
hardy predict --help | cmp - b || exit
hardy help predct 2>&1 || test $? = 2
