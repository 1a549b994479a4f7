# style.gp -- how every chart of this folder looks. Each NAME.gp says
#   name, title, subtitle          what it is
#   panels, panel_height           how many small pictures, and how high
#   pad_left, pad_right, pad_bottom   room inside a panel for labels, in pixels
#   Key                            array: pixels above each panel for names
#   Taller                         array: pixels by which each is higher
# and then loads this file, which opens the output, and which gives it
#   @new_panel                     goes on to panel p (count p from 1)
#
# Redraw a chart:                  gnuplot NAME.gp
# for a phone, one column:         gnuplot -e 'narrow = 1' NAME.gp
# as a bitmap:                     gnuplot -e "form = 'png'" NAME.gp
# in letters, for a terminal:      gnuplot -e "form = 'txt'; narrow = 1" NAME.gp

reset
if (!exists('narrow')) narrow = 0
if (!exists('form')) form = 'svg'
in_letters = form eq 'txt'
set datafile separator tab missing 'NA' commentschars ''
set encoding utf8

# ---- one colour, point and dash per engine, everywhere -----------------------
# Okabe-Ito colours and filled points: the stages.
set linetype 1 lc rgb '#000000' lw 2 dt 1 pt 5 ps 0.8    # hash
set linetype 2 lc rgb '#E69F00' lw 2 dt 1 pt 7 ps 0.85   # log
set linetype 3 lc rgb '#56B4E9' lw 2 dt 1 pt 9 ps 0.9    # sst
set linetype 4 lc rgb '#009E73' lw 2 dt 1 pt 11 ps 0.9   # lsm, leveled
set linetype 5 lc rgb '#009E73' lw 2 dt 2 pt 10 ps 0.9   # lsm, tiered
set linetype 6 lc rgb '#D55E00' lw 2 dt 1 pt 13 ps 1.0   # bt
set linetype 7 lc rgb '#CC79A7' lw 2 dt 1 pt 12 ps 1.0   # bt, copy on write
set linetype 8 lc rgb '#333333' lw 1.5 dt (1,3) pt 1     # theory
# Greys, hollow points, broken lines: engines others made, to compare with.
set linetype 11 lc rgb '#555555' lw 1.5 dt (6,3) pt 6 ps 0.85     # tkrzw
set linetype 12 lc rgb '#777777' lw 1.5 dt (2,2) pt 4 ps 0.8      # kyoto
set linetype 13 lc rgb '#555555' lw 1.5 dt (9,3,2,3) pt 8 ps 0.9  # glib
set linetype 14 lc rgb '#777777' lw 1.5 dt (4,4) pt 10 ps 0.9  # leveldb
set linetype 15 lc rgb '#555555' lw 1.5 dt (1,3) pt 12 ps 0.9  # lmdb
set linetype 16 lc rgb '#777777' lw 1.5 dt (8,2) pt 14 ps 0.9  # rocksdb
set linetype 17 lc rgb '#555555' lw 1.5 dt (3,5) pt 4 ps 0.8   # sqlite
set linetype 18 lc rgb '#777777' lw 1.5 dt (5,2,1,2) pt 6 ps 0.85  # berkeley
set linetype 19 lc rgb '#555555' lw 1.5 dt (2,4) pt 10 ps 0.9  # wiredtiger
# Engines nobody told us about: yours.
set linetype 21 lc rgb '#0072B2' lw 2 dt 1 pt 15 ps 0.9
set linetype 22 lc rgb '#CC79A7' lw 2 dt 1 pt 13 ps 0.9
set linetype 23 lc rgb '#0072B2' lw 2 dt 2 pt 5 ps 0.8
# Further lines that are no engine's.
set linetype 24 lc rgb '#444444' lw 2 dt 1 pt 7 ps 0.8
set linetype 25 lc rgb '#CC79A7' lw 2 dt (8,4) pt 9 ps 0.9
set linetype 26 lc rgb '#0072B2' lw 2 dt (2,3) pt 11 ps 0.9
set linetype 27 lc rgb '#444444' lw 2 dt (8,3,2,3) pt 13 ps 0.9

# ---- ink ----------------------------------------------------------------------
set border 3 lc rgb '#888888' lw 1
set tics nomirror out scale 0.5 tc rgb '#444444'
set xtics offset 0, 0.2
set grid xtics ytics lc rgb '#e4e4e4' lw 1 dt 1
set errorbars 0.6 lw 1
set style fill solid 1.0 noborder
set style textbox opaque noborder fillcolor rgb 'white' margins 0.4, 0.2
unset key

# ---- a grid of panels, measured in pixels -------------------------------------
head = narrow ? 70 : 52   # above all panels, for title and subtitle
pad_top = 26   # in each panel, for its own title
columns = narrow ? 1 : panels < 3 ? panels : 3
rows = (panels + columns - 1) / columns
panel_width = narrow ? 344 : columns == 1 ? 640 : 1040 / columns
width = columns * panel_width
column_of(p) = (p - 1) % columns
row_of(p) = (p - 1) / columns
array Above[rows]   # room for names in each row: that of its fullest panel
array More[rows]    # and by how much its tallest panel is higher
do for [i = 1:rows] { Above[i] = 0; More[i] = 0 }
do for [i = 1:panels] {
    r = row_of(i) + 1
    if (Key[i] > Above[r]) { Above[r] = Key[i] }
    if (Taller[i] > More[r]) { More[r] = Taller[i] }
}
# Where row r begins (from 0), the room for names being part of it.
begin(r) = head + r * panel_height + (r == 0 ? 0 : (sum [k = 1:r] Above[k] + More[k]))
height = begin(rows)
body(p) = begin(row_of(p)) + Above[row_of(p) + 1]
left(p) = (column_of(p) * panel_width + pad_left) / real(width)
right(p) = ((column_of(p) + 1) * panel_width - pad_right) / real(width)
top(p) = 1 - (body(p) + pad_top) / real(height)
bottom(p) = 1 - (body(p) + panel_height + Taller[p] - pad_bottom) / real(height)

# On a phone a subtitle has lines of so many letters.
last_space(s, n) = n < 1 || s[n:n] eq ' ' ? n : last_space(s, n - 1)
cut(s, n) = n < 1 ? s : s[1:n - 1] . "\n" . lines(s[n + 1:strlen(s)])
lines(s) = narrow && strlen(s) > 54 ? cut(s, last_space(s, 54)) : s

new_panel = "\
unset label; \
if (p == 1) { \
  set label 1 title at screen 0, screen 1 - 14.0 / height left font ',14' tc rgb '#111111'; \
  set label 2 lines(subtitle) at screen 0, screen 1 - 33.0 / height left font ',11' tc rgb '#555555' \
}; \
set lmargin at screen left(p); set rmargin at screen right(p); \
set tmargin at screen top(p); set bmargin at screen bottom(p); \
set label 3 Panel[p] at graph 0, graph 1 left offset character 0, in_letters ? 1 : 0.9 font ',12' tc rgb '#111111'"

# ---- the output ---------------------------------------------------------------
if (form eq 'png') {
    set terminal pngcairo size 2 * width, 2 * height noenhanced \
        font 'DejaVu Sans,11' fontscale 1.5 linewidth 2 pointscale 2
} else { if (form eq 'txt') {
    set terminal dumb size 100, 4 + 24 * rows noenhanced mono
} else {
    set terminal svg size width, height dynamic noenhanced \
        font 'DejaVu Sans,11' background rgb 'white' name name
} }
set output name . (narrow && form eq 'svg' ? '.narrow.' : '.') . form
set multiplot
