// Words of rules as their hashes (FNV-1a, 32 bits), by which rule-reader.ts knows them: a word of another text with the same hash would have to be
// made for it. rule-words.test.ts reckons each from the text beside it.
// Not here: how a word is read (line-words.ts).

/** -A */
export const WORD_APPEND: i32 = -2066892165;
/** ! */
export const WORD_NOT: i32 = 604802540;
/** -s */
export const WORD_SOURCE: i32 = 1456304657;
/** --source */
export const WORD_SOURCE_LONG: i32 = -923227574;
/** -d */
export const WORD_DESTINATION: i32 = 1741524180;
/** --destination */
export const WORD_DESTINATION_LONG: i32 = -1859680955;
/** -p */
export const WORD_PROTOCOL: i32 = 1405971800;
/** -i */
export const WORD_IN: i32 = 1556970371;
/** -o */
export const WORD_OUT: i32 = 1657636085;
/** -m */
export const WORD_MATCH: i32 = 1624080847;
/** -j */
export const WORD_JUMP: i32 = 1573747990;
/** -g */
export const WORD_GOTO: i32 = 1791857037;
/** tcp */
export const WORD_TCP: i32 = -1628259696;
/** udp */
export const WORD_UDP: i32 = 1253872004;
/** icmp */
export const WORD_ICMP: i32 = -667188552;
/** all */
export const WORD_ALL: i32 = 321211332;
/** TCP */
export const WORD_TCP_LARGE: i32 = -517013264;
/** UDP */
export const WORD_UDP_LARGE: i32 = -1919506268;
/** ICMP */
export const WORD_ICMP_LARGE: i32 = 371951736;
/** state */
export const WORD_STATE: i32 = 2016490230;
/** conntrack */
export const WORD_CONNTRACK: i32 = 698480014;
/** limit */
export const WORD_LIMIT: i32 = 853203252;
/** multiport */
export const WORD_MULTIPORT: i32 = 782932669;
/** comment */
export const WORD_COMMENT: i32 = 1738982494;
/** --sport */
export const WORD_SPORT: i32 = -1509434977;
/** --source-port */
export const WORD_SOURCE_PORT: i32 = 319596550;
/** --dport */
export const WORD_DPORT: i32 = -878460238;
/** --destination-port */
export const WORD_DESTINATION_PORT: i32 = 1036305795;
/** --syn */
export const WORD_SYN: i32 = 1700495643;
/** --tcp-flags */
export const WORD_TCP_FLAGS: i32 = 1744185156;
/** --icmp-type */
export const WORD_ICMP_TYPE: i32 = -940443887;
/** --state */
export const WORD_STATE_OPTION: i32 = 2036794144;
/** --ctstate */
export const WORD_CTSTATE: i32 = -529808091;
/** --limit */
export const WORD_LIMIT_OPTION: i32 = 199141562;
/** --limit-burst */
export const WORD_BURST: i32 = -1006576079;
/** --sports */
export const WORD_SPORTS: i32 = 1247547012;
/** --dports */
export const WORD_DPORTS: i32 = 1405851091;
/** --ports */
export const WORD_PORTS: i32 = 1029177905;
/** --comment */
export const WORD_COMMENT_OPTION: i32 = 1434245976;
/** NEW */
export const WORD_NEW: i32 = -1428902351;
/** ESTABLISHED */
export const WORD_ESTABLISHED: i32 = 1350294189;
/** RELATED */
export const WORD_RELATED: i32 = 1873762776;
/** INVALID */
export const WORD_INVALID: i32 = 1638239312;
/** FIN */
export const WORD_FIN: i32 = 197049402;
/** RST */
export const WORD_RST: i32 = 2008449074;
/** PSH */
export const WORD_PSH: i32 = -1238510828;
/** ACK */
export const WORD_ACK: i32 = 2089197666;
/** URG */
export const WORD_URG: i32 = 1818842387;
/** NONE */
export const WORD_NONE: i32 = 1932136219;
/** ACCEPT */
export const WORD_ACCEPT: i32 = 547231721;
/** DROP */
export const WORD_DROP: i32 = 1388407564;
/** RETURN */
export const WORD_RETURN: i32 = 682571647;
/** REJECT */
export const WORD_REJECT: i32 = 1669126406;
/** LOG */
export const WORD_LOG: i32 = -1037316815;
/** MASQUERADE */
export const WORD_MASQUERADE: i32 = -1303092545;
/** SNAT */
export const WORD_SNAT: i32 = -1798861167;
/** DNAT */
export const WORD_DNAT: i32 = 1004764146;
/** REDIRECT */
export const WORD_REDIRECT: i32 = -2090208399;
/** --reject-with */
export const WORD_REJECT_WITH: i32 = 513276859;
/** --log-prefix */
export const WORD_LOG_PREFIX: i32 = 63852906;
/** --log-level */
export const WORD_LOG_LEVEL: i32 = 2045902500;
/** --to-source */
export const WORD_TO_SOURCE: i32 = -2085826504;
/** --to-destination */
export const WORD_TO_DESTINATION: i32 = -2113067105;
/** --to */
export const WORD_TO: i32 = -568066998;
/** --to-ports */
export const WORD_TO_PORTS: i32 = 254669359;
/** sec */
export const WORD_SEC: i32 = -1155074638;
/** second */
export const WORD_SECOND: i32 = -1409755939;
/** s */
export const WORD_SECOND_S: i32 = -166967934;
/** min */
export const WORD_MIN: i32 = -913357481;
/** minute */
export const WORD_MINUTE: i32 = 954666857;
/** m */
export const WORD_MINUTE_M: i32 = -401854600;
/** hour */
export const WORD_HOUR: i32 = -1241306097;
/** h */
export const WORD_HOUR_H: i32 = -317966505;
/** day */
export const WORD_DAY: i32 = -464576003;
/** echo-request */
export const WORD_ECHO_REQUEST: i32 = 1131158196;
/** echo-reply */
export const WORD_ECHO_REPLY: i32 = 134031101;
/** destination-unreachable */
export const WORD_UNREACHABLE: i32 = 1595457920;
/** time-exceeded */
export const WORD_TIME_EXCEEDED: i32 = 1388800926;
/** any */
export const WORD_ANY: i32 = 740945997;
/** icmp-net-unreachable */
export const WORD_REJECT_NET: i32 = 2090067561;
/** icmp-host-unreachable */
export const WORD_REJECT_HOST: i32 = -195225966;
/** icmp-port-unreachable */
export const WORD_REJECT_PORT: i32 = -1326230921;
/** icmp-proto-unreachable */
export const WORD_REJECT_PROTOCOL: i32 = 1507850348;
/** icmp-net-prohibited */
export const WORD_REJECT_NET_PROHIBITED: i32 = 173662751;
/** icmp-host-prohibited */
export const WORD_REJECT_HOST_PROHIBITED: i32 = -737042154;
/** icmp-admin-prohibited */
export const WORD_REJECT_ADMIN: i32 = 344398315;
/** tcp-reset */
export const WORD_REJECT_RESET: i32 = -1295992826;
/** SYN */
export const WORD_SYN_FLAG: i32 = 1127421501;
/** ALL */
export const WORD_ALL_FLAGS: i32 = 1432457764;
