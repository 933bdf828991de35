# The clock belongs to the machine; only the program that tells the time can be ahead.
stand_before date <<DATE
#!/bin/sh
# Tells a time that is $SKEW seconds ahead, unless it was asked about another time.
for word in "\$@"; do
    case "\$word" in
    -d* | --date* | -r* | --reference* | -s* | --set* | -f* | --file*) exec /usr/lib/lab/date "\$@" ;;
    esac
done
exec /usr/lib/lab/date -d "$SKEW seconds" "\$@"
DATE
