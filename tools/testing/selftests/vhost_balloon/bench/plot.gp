# SPDX-License-Identifier: GPL-2.0
#
# Stacked bars of the host's and the guest's part of the time: gnuplot -e
# "data='FILE'; out='FILE.svg'; title='TEXT'" plot.gp

set terminal svg size 720,420 font "sans-serif,12" background rgb "white"
set output out
set title title
set style data histograms
set style histogram rowstacked
set style fill solid 0.85 border -1
set boxwidth 0.6
set ylabel "microseconds for a page of 4 KiB"
set yrange [0:*]
set grid ytics
set key outside top right
set bmargin 3
plot data using 2:xtic(1) title "host" linecolor rgb "#c05020", \
     "" using 3 title "guest" linecolor rgb "#7090b0"
