# SPDX-License-Identifier: GPL-2.0
#
# Figures and bars out of the measurements: all of raw.json in, with $method; see
# Documentation/benchmark.rst.

def round_to($digits): (. * pow(10; $digits) | round) / pow(10; $digits);

. as $raw |

def raw($contestant; $backend; $operation; $repeat):
	first($raw[] | select(.contestant == $contestant and .backend == $backend and
		.operation == $operation and .repeat == $repeat)) // null;

def is_native: .contestant | startswith("native");

# What the guest and QEMU do of themselves, in some time.
def idle($row; $member; $ns):
	(raw($row.contestant; $row.backend; "idle"; $row.repeat)) as $idle |
	(if $row.operation == "report"
		then raw($row.contestant; $row.backend; "report-idle"; $row.repeat) // $idle
		else $idle end) as $idle |
	if $idle then $idle[$member] * $ns / $idle.elapsed_ns else 0 end;

# The time that was idle in between: the quiet at the end, or, of reports, which come by and by,
# nearly all.
def rest_ns:
	if .operation == "report" then .elapsed_ns
	elif is_native then 0
	else .elapsed_ns - .active_ns end;

# The time in all: with a clock that counts instructions whenever something was done, less
# what an idle guest does; else that on the clock.
def total_ns:
	if $method.icount then .busy_ns - idle(.; "busy_ns"; rest_ns)
	elif .operation == "report" then .cpu_ns - idle(.; "cpu_ns"; rest_ns)
	else .active_ns // .elapsed_ns end;

def guest_ns: .guest_ns - idle(.; "guest_ns"; rest_ns);

def host_ns:
	if $method.icount then total_ns - guest_ns
	else .cpu_ns - idle(.; "cpu_ns"; rest_ns) - guest_ns end;

def figures:
	. as $row | (.pages / 256) as $batches |
	raw(.contestant; .backend; .operation + "-syscalls"; 1) as $syscalls |
	{
		contestant, backend, operation, repeat, pages,
		all_us: (total_ns / .pages / 1000),
		guest_us: (guest_ns / .pages / 1000),
		host_us: (host_ns / .pages / 1000),
		exits: (.exits / $batches),
		switches: ((.switches - idle($row; "switches"; .elapsed_ns)) / $batches),
		syscalls: (if $syscalls
			then ($syscalls.syscalls - idle($syscalls; "syscalls"; $syscalls.elapsed_ns)) /
				($syscalls.pages / 256)
			else null end),
		operations: (if .operations then .operations / $batches else null end)
	};

def deviation($a; $b): ($a - $b) / $a | fabs * 100;

[$raw[] | select(.pages > 0 and (.operation | endswith("-syscalls") | not)) | figures] as $all |

def figure($contestant; $backend; $operation):
	first($all[] | select(.contestant == $contestant and .backend == $backend and
		.operation == $operation and .repeat == 1)) // null;

# One row for both runs: the figures of the first, and how far the second is off.
[$all[] | select(.repeat == 1) | . as $first |
	(first($all[] | select(.repeat == 2 and .contestant == $first.contestant and
		.backend == $first.backend and .operation == $first.operation)) // null) as $second |
	del(.repeat) + {
		deviation: (if $second then deviation($first.all_us; $second.all_us) else null end)
	}] as $rows |

def ratio($a; $b; $member): if $a and $b then $a[$member] / $b[$member] else null end;

def stock_ours($name; $backend; $operation; $member; $limit):
	{ name: $name, limit: $limit, at_least: true,
	  value: ratio(figure("stock"; $backend; $operation);
		       figure("inline"; $backend; $operation); $member) };

def to_floor($name; $backend):
	{ name: $name, limit: 1.4, at_least: false,
	  value: ratio(figure("native-inline"; $backend; "ascending");
		       figure("native-floor"; $backend; "ascending"); "host_us") };

def most($name; $limit; values): { name: $name, limit: $limit, at_least: false,
	value: ([values | select(. != null)] | max) };

[
	stock_ours("inflate-all-anon"; "anon"; "inflate"; "all_us"; 1.9),
	stock_ours("inflate-all-memfd"; "memfd"; "inflate"; "all_us"; 2.5),
	stock_ours("inflate-host-anon"; "anon"; "inflate"; "host_us"; 3.5),
	stock_ours("inflate-host-memfd"; "memfd"; "inflate"; "host_us"; 5),
	stock_ours("deflate-all-anon"; "anon"; "deflate"; "all_us"; 3.5),
	stock_ours("deflate-all-memfd"; "memfd"; "deflate"; "all_us"; 2.7),
	to_floor("floor-anon"; "anon"),
	to_floor("floor-memfd"; "memfd"),
	most("switches"; 0.05; $rows[] | select(.contestant == "inline" and
		(.operation == "inflate" or .operation == "deflate")) | .switches),
	most("operations"; 1; $rows[] | select((.contestant == "native-inline" or
		.contestant == "native-worker") and .backend != "hugetlb" and
		(.operation | IN("ascending", "descending", "shuffled"))) | .operations),
	stock_ours("report-all-anon"; "anon"; "report"; "all_us"; 1),
	stock_ours("report-all-memfd"; "memfd"; "report"; "all_us"; 1),
	(if $method.icount then most("repeat-percent"; 1; $rows[].deviation) else empty end),
	(if $method.seconds then { name: "minutes", limit: 60, at_least: false,
		value: ($method.seconds / 60) } else empty end)
] as $bars |

{
	$method,
	rows: [$rows[] | map_values(if type == "number" then round_to(4) else . end)],
	bars: [$bars[] | select(.value != null) | .value |= round_to(3) |
		.met = if .at_least then .value >= .limit else .value <= .limit end]
}
