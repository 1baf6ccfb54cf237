// What these filters and the machine's own must do alike, as scripts. Texts are those that scripts of the time read.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: scripts have them

/** Put before each: files that the scripts read. */
export const FILES = `cat >ifc <<'E'
eth0      Link encap:Ethernet  HWaddr 52:54:00:12:34:56  
          inet addr:192.168.0.1  Bcast:192.168.0.255  Mask:255.255.255.0
          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1
          RX packets:10 errors:0 dropped:0 overruns:0 frame:0
          TX packets:7 errors:0 dropped:0 overruns:0 carrier:0

E
cat >rt <<'E'
Kernel IP routing table
Destination     Gateway         Genmask         Flags Metric Ref    Use Iface
192.168.0.0     0.0.0.0         255.255.255.0   U     0      0        0 eth0
0.0.0.0         10.0.2.2        0.0.0.0         UG    0      0        0 eth1
E
printf 'b 2\\na 10\\nc 1\\na 10\\n' >n
printf 'name=value\\n# comment\\nIP=10.0.0.1 # x\\n\\nLAST=1' >cf
printf 'root:x:0:0:root:/root:/bin/sh\\nbin:x:1:1::/:\\n' >pw
`;

export const FILTER_CASES: Record<string, readonly string[]> = {
  grep: [
    'grep inet ifc; echo $?; grep nothing ifc; echo $?; grep -q eth0 ifc; echo $?',
    'grep -v RX ifc; grep -c packets ifc; grep -i INET ifc; grep -n U ifc',
    "grep '^eth' ifc; grep ':0$' ifc; grep '^$' ifc; grep -v '^#' cf; grep -v '^$' cf",
    "grep 'inet *addr:' ifc; grep 'R[XT] ' ifc; grep '[0-9]\\.[0-9]' ifc; grep '[^a-z ]:' ifc; grep '.*0.*1' ifc",
    "grep -E 'RX|TX' ifc; egrep '(RX|TX) packets:[0-9]+' ifc; grep -E 'e{2,}|r{2}' ifc; grep -E '^(eth|ppp)[0-9]' ifc",
    "grep 'addr\\|Mask' ifc; grep 'er\\{1,2\\}' ifc; grep 'x\\+' ifc; grep '\\(e\\)rr' ifc; grep '\\(.\\)\\1' ifc",
    'grep -F . ifc; fgrep "a.b" ifc; grep -F "[" ifc; echo $?',
    'grep -o "[0-9]*\\.[0-9.]*" ifc; grep -o addr ifc; grep -w eth ifc; grep -w eth0 ifc; grep -x "E" ifc; echo $?',
    'grep -e RX -e TX ifc; grep -h 0 ifc n; grep 0 ifc n; grep -l 0 ifc n pw; grep -s x none; echo $?',
    "grep '*' ifc; grep '\\*' ifc; grep 'a\\.b' ifc; grep '[]]' ifc; grep '[a-]' n; grep '[[:digit:]]\\{3\\}' ifc",
    "grep '\\<inet\\>' ifc; grep '\\bMTU' ifc; grep 'a b' n; grep -E '^.{5}$' n; grep -E 'a?b*c+' n; grep -iE '^ROOT|^BIN' pw",
    'echo | grep ""; echo $?; printf "" | grep ""; echo $?; printf "x" | grep x; grep x </dev/null; echo $?',
    'grep -m 1 packets ifc; cat ifc | grep -v "^ " | grep eth0; grep -vc packets ifc; grep -qv zzz ifc; echo $?',
    "grep -E '(a|b)+ [0-9]' n; grep -E '()' n; grep -E 'a|b|c 1' n; grep -E '(ab?|c)+' n; grep -E 'x*' n",
    "grep 'a\\{2' n 2>/dev/null; echo $?; grep '[a' n 2>/dev/null; echo $?; grep -E '(a' n 2>/dev/null; echo $?",
  ],
  sed: [
    "sed 's/inet/INET/' ifc; sed 's/0/zero/g' n; sed 's/a/[&]/' n; sed -e 's/a/b/' -e 's/b/c/g' n",
    "sed -n 's/.*addr:\\([^ ]*\\).*/\\1/p' ifc; sed -e 's/.*addr:\\([^ ]*\\) .*/\\1/' ifc; sed 's/^ *//' ifc",
    "sed -n '2p' ifc; sed '1d' n; sed '2,3d' n; sed -n '$p' n; sed -n '/inet/p' ifc; sed '/RX/,/TX/d' ifc; sed -n '2,$p' n",
    "sed '/^#/d;/^$/d' cf; sed 's/#.*//' cf; sed 's/ *#.*$//;/^$/d' cf; sed '/=/!d' cf; sed -n '/IP/{s/.*=//;p}' cf",
    "sed 's,/,|,g' pw; sed 's|/bin|/sbin|' pw; sed 's/:/ /3' pw; sed 's/:/-/2g' pw; sed 's#a#b#' n",
    "sed -E 's/([a-z]) ([0-9]+)/\\2 \\1/' n; sed -r 's/(a|b)+/X/g' n; sed 's/\\(.\\) \\(.\\)/\\2 \\1/' n",
    "sed 'y/abc/xyz/' n; sed q n; sed 2q n; sed -n 3,2p n; sed '2!d' n; sed = n; sed 's/x*/-/g' n",
    "sed 's/a/\\//' n; sed 's/\\./-/g' ifc; sed 's/[0-9]/<&>/2' n; sed 's/[^:]*$//' pw; sed 's/a/A/I' n; sed '/a/s//Z/' n",
    "sed -n '/a/=' n; sed '1i\\\ntop' n; sed '$a\\\nend' n; sed '2c\\\nchanged' n; sed 'N;s/\\n/+/' n; sed -n 'h;n;G;p' n",
    "echo 'eth0:' | sed 's/:$//'; echo a.b.c | sed 's/\\.[^.]*$//'; echo 10.0.0.5 | sed 's/\\.[0-9]*$/.0/'; echo '  x  ' | sed 's/^[ \\t]*//;s/[ \\t]*$//'",
    "printf 'no end' | sed 's/n/N/' ; echo; echo hello | sed 's/l*/x/2'; echo aXbXc | sed 's/X/\\n/g'; echo abc | sed 's/\\(b\\)/[\\1\\1]/'",
  ],
  awk: [
    "awk '{print $1}' n; awk '{print $2, $1}' n; awk '{print NR \": \" $0}' n; awk 'END{print NR}' n; awk '{print NF}' ifc",
    "awk '/inet addr/{print $2}' ifc; awk '/inet addr/{gsub(\".*:\",\"\",$2);print $2}' ifc; awk '/HWaddr/ {print $NF}' ifc",
    "awk -F: '{print $1, $6}' pw; awk -F : '/root/{print $7}' pw; awk -F'[: ]+' '/inet/{print $4}' ifc; awk -F= '{print $2}' cf",
    "awk '$1 == \"0.0.0.0\" {print $2}' rt; awk '$4 ~ /G/ {print $2}' rt; awk '$4 !~ /G/' rt; awk 'NR>2' rt; awk 'NR==1,NR==2' rt; awk 'NR==3{print $8; exit}' rt",
    'awk \'BEGIN{FS=":"; OFS="-"} {print $1,$3}\' pw; awk \'BEGIN{print 1+2, 10/4, 7%3, 2^3, -3}\'; awk \'BEGIN{print "a" "b" 1 2}\'; awk \'BEGIN { x = 5; x += 2; print x++, x, ++x }\'',
    "awk '{s += $2} END {print s, s/NR}' n; awk '{c[$1]++} END {print c[\"a\"], c[\"b\"]}' n; awk '!seen[$0]++' n; awk '{print length($0), length}' n",
    'awk \'{print substr($1,1,1) substr($2,2)}\' n; awk \'BEGIN{print index("hello","l"), toupper("ab"), tolower("CD"), int(3.9), substr("hello",2,3)}\'',
    'awk \'BEGIN{n=split("a:b:c",x,":"); print n, x[1], x[3]}\'; awk \'{sub(/a/,"X"); print}\' n; awk \'{n=gsub(/[0-9]/,"#"); print n, $0}\' n; awk \'BEGIN{s="a.b.c"; gsub(/\\./,"-",s); print s}\'',
    'awk \'{if ($2 > 5) print $1; else print "small"}\' n; awk \'BEGIN{for(i=0;i<3;i++) print i; while(i>0){i--; print i}}\'; awk \'{for(i=NF;i>0;i--) printf "%s ", $i; print ""}\' n',
    'awk \'{printf "%-5s|%5d|%s\\n", $1, $2, $3}\' n; awk \'BEGIN{printf "%x %c %5.2f\\n", 255, "z", 3.14159}\' 2>/dev/null || :',
    "awk -v x=5 '{print x, $1}' n; awk -v a=1 -v b=2 'BEGIN{print a+b}'; awk '$2>=10 && $1==\"a\" || $1==\"c\"' n; awk '{$2=\"x\"; print}' n; awk '{$5=\"e\"; print; print NF}' n",
    "awk 'NF' cf; awk '!/^#/ && NF {print}' cf; awk 'match($0,/[0-9]+/){print RSTART, RLENGTH}' cf; awk '{print $1}' </dev/null; awk 'BEGIN{exit 3}'; echo $?",
    "route() { cat rt; }; route -n | grep '^0.0.0.0' | awk '{print $2}'; cat rt | awk '/UG/ { print $2; }'; cat ifc | awk '/inet/ { split($2,a,\":\"); print a[2] }'",
    'awk \'BEGIN { if ("10" < "9") print "s"; if (10 < 9) print "n"; else print "ok" }\'; echo \'10 9\' | awk \'{ if ($1 < $2) print "lt"; else print "ge" }\'',
    'awk \'BEGIN { x["a"]=1; x["b"]=2; if ("a" in x) print "in"; delete x["a"]; if (!("a" in x)) print "gone"; for (k in x) print k, x[k] }\'',
    'awk \'{ print ($1 == "a") ? "yes" : "no" }\' n; awk \'BEGIN { print length(""), 1==1, 1>2 ? "x" : "y" }\'; awk \'# comment\n{ print $1 } # more\' n; awk \'{\n  print $2\n}\n\' n',
    "echo 'a b' | awk '{ print $1; next; print $2 }'; echo x | awk '{ print; print $0 \"!\" }'; echo '1.5 2' | awk '{ print $1*$2, $1+$2 }'; awk 'BEGIN { printf \"%s %s\\n\", \"a\", \"b\" }'",
    'awk \'BEGIN { print substr("hello", 0), substr("hello", 4, 10) "|" }\'; awk \'BEGIN { print 1e3, 0.1+0.2, 1000 * 1000, 3/2 }\'',
  ],
  small: [
    'cut -d: -f1 pw; cut -d: -f1,7 pw; cut -d: -f2- pw; cut -d: -f-2 pw; cut -c1-4 pw; cut -c3 n; cut -d " " -f2 n; cut -f1 n; cut -s -d: -f1 n; cut -d= -f2 cf',
    "grep inet ifc | cut -d: -f2 | cut -d' ' -f1; cat ifc | grep 'inet' | cut -d ':' -f 2 | cut -d ' ' -f 1",
    'head -2 n; head -n 1 n; head -n 10 n; head n; tail -1 n; tail -n 2 n; tail -n +3 n; head -c 3 n; echo; tail -c 3 n; head -n -1 n; cat n | tail -2 | head -1',
    'cat n pw; cat <n; cat n - <pw; cat /dev/null; cat -n n; cat nofile 2>/dev/null; echo $?',
    "tr a-z A-Z <n; tr -d 0-9 <n; tr -s ' ' <ifc; echo abc | tr abc xyz; echo hello | tr -d l; echo a:b | tr : '\\n'; echo aabbcc | tr -s a-c; echo 'a b' | tr ' ' _; echo Ab1 | tr '[:upper:]' '[:lower:]'; echo ab12 | tr -cd 0-9; echo; echo abc | tr a-c x",
    'wc -l <n; wc -w <n; wc -c <n; wc -l n; cat ifc | wc -l; printf "" | wc -l; printf "a b" | wc -w; grep -c . n',
    'sort n; sort -r n; sort -u n; sort -n -k2 n; sort -k 2n n; sort -t: -k1 pw; printf "10\\n9\\n2\\n" | sort; printf "10\\n9\\n2\\n" | sort -n; printf "10\\n9\\n2\\n" | sort -rn; sort n | uniq; sort n | uniq -c; sort n | uniq -d; sort n | uniq -u; printf "b\\nA\\na\\n" | sort',
    'basename /a/b/c; basename /a/b.txt .txt; basename c; basename /; dirname /a/b/c; dirname c; dirname /a; dirname a/b/; basename a/',
    'seq 3; seq 2 4; seq 1 2 7; seq 3 -1 1; echo abc | rev; echo x | tee /dev/null',
    'expr 1 + 2; expr 2 \\* 3; expr 7 / 2; expr 7 % 3; expr 5 - 8; expr 1 \\< 2; expr 2 = 2; expr a = b; echo $?; expr abc : "a\\(.*\\)"; expr abc : "b"; expr abc : ".*"; expr length hello; expr substr hello 2 3; expr \\( 1 + 2 \\) \\* 3; expr 0; echo $?; expr "" \\| x; expr a \\& b; expr 1 / 0 2>/dev/null; echo $?; expr 1 + 2>/dev/null; echo $?',
    'i=0; while [ $i -lt 3 ]; do i=`expr $i + 1`; echo $i; done; expr index hello l; expr 10 \\> 9; expr a \\< b; expr 007 = 7',
    'IP=`grep "inet addr" ifc | cut -d: -f2 | cut -d" " -f1`; echo "$IP"; NET=`echo $IP | cut -d. -f1-3`.0/24; echo $NET; MASK=$(grep Mask ifc | sed "s/.*Mask:\\([0-9.]*\\).*/\\1/"); echo $MASK',
    'for u in `cut -d: -f1 pw`; do echo "user $u"; done; while IFS=: read a b c d; do echo "$a=$c"; done <pw; cat pw | while read l; do echo "${l%%:*}"; done',
    'GW=$(awk \'/^0.0.0.0/ {print $2}\' rt); echo gw $GW; set -- `grep inet ifc`; echo $1 ${2#addr:}; if grep -q eth0 ifc; then echo yes; fi; [ -n "`grep ppp0 ifc`" ] || echo no ppp',
  ],
};
