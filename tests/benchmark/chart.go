package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// chart is a picture with two logarithmic axes.
type chart struct {
	title, note string
	x, y        string // what the axes are
	series      []series
}

// series is one line of a chart.
type series struct {
	name, colour string
	line         []spot // medians, from left to right
	dots         []spot // all
}

type spot struct{ x, y float64 }

// add adds all that was seen at one place. What is not above 0 has no place on a logarithmic axis.
func (s *series) add(x float64, all []float64) {
	for _, y := range all {
		if y > 0 {
			s.dots = append(s.dots, spot{x, y})
		}
	}
	if middle := median(all); middle > 0 {
		s.line = append(s.line, spot{x, middle})
	}
}

// The size of the picture, and of what is around the axes.
const (
	chartWidth, chartHeight             = 760, 460
	chartLeft, chartRight               = 80, 30
	chartTop, chartBottom               = 56, 84
	chartPlotWidth, chartPlotHeight     = chartWidth - chartLeft - chartRight, chartHeight - chartTop - chartBottom
	legendStep, dotRadius, lineWidth    = 20, 3, 2
	gridColour, textColour, frameColour = "#dddddd", "#222222", "#888888"
)

// axis is a logarithmic axis between two powers of ten.
type axis struct{ low, high int }

func axisOf(values []float64) axis {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, math.Log10(v)), max(high, math.Log10(v))
	}
	if len(values) == 0 {
		return axis{0, 1}
	}
	a := axis{int(math.Floor(low)), int(math.Ceil(high))}
	if a.low == a.high {
		a.high++
	}
	return a
}

// share is how far along the axis a value is, from 0 to 1.
func (a axis) share(v float64) float64 {
	return (math.Log10(v) - float64(a.low)) / float64(a.high-a.low)
}

func (c chart) axes() (x, y axis) {
	var xs, ys []float64
	for _, s := range c.series {
		for _, d := range s.dots {
			xs, ys = append(xs, d.x), append(ys, d.y)
		}
	}
	return axisOf(xs), axisOf(ys)
}

// draw returns the picture as SVG.
func (c chart) draw() []byte {
	x, y := c.axes()
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" fill="%s">`+"\n",
		chartWidth, chartHeight, textColour)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&out, `<text x="%d" y="28" font-size="16">%s</text>`+"\n", chartLeft, html.EscapeString(c.title))
	fmt.Fprintf(&out, `<text x="%d" y="%d" font-size="11" fill="%s">%s</text>`+"\n", chartLeft, chartHeight-14, frameColour, html.EscapeString(c.note))
	c.grid(&out, x, y)
	for i, s := range c.series {
		s.draw(&out, x, y)
		at := chartTop + legendStep*(i+1)
		fmt.Fprintf(&out, `<circle cx="%d" cy="%d" r="5" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n",
			chartLeft+18, at-4, s.colour, chartLeft+30, at, html.EscapeString(s.name))
	}
	out.WriteString("</svg>\n")
	return []byte(out.String())
}

// place is where a spot is in the picture.
func place(x, y axis, s spot) (left, top float64) {
	return chartLeft + x.share(s.x)*chartPlotWidth, chartTop + (1-y.share(s.y))*chartPlotHeight
}

// grid draws a line and a number at each power of ten.
func (c chart) grid(out *strings.Builder, x, y axis) {
	for power := x.low; power <= x.high; power++ {
		left, _ := place(x, y, spot{math.Pow10(power), math.Pow10(y.low)})
		fmt.Fprintf(out, `<path d="M%.1f %d V%d" stroke="%s"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			left, chartTop, chartTop+chartPlotHeight, gridColour, left, chartTop+chartPlotHeight+18, powerText(power))
	}
	for power := y.low; power <= y.high; power++ {
		_, top := place(x, y, spot{math.Pow10(x.low), math.Pow10(power)})
		fmt.Fprintf(out, `<path d="M%d %.1f H%d" stroke="%s"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			chartLeft, top, chartLeft+chartPlotWidth, gridColour, chartLeft-8, top+4, powerText(power))
	}
	fmt.Fprintf(out, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="%s"/>`+"\n",
		chartLeft, chartTop, chartPlotWidth, chartPlotHeight, frameColour)
	fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n",
		chartLeft+chartPlotWidth/2, chartTop+chartPlotHeight+42, html.EscapeString(c.x))
	fmt.Fprintf(out, `<text transform="translate(22 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n",
		chartTop+chartPlotHeight/2, html.EscapeString(c.y))
}

// powerText writes a power of ten as a number.
func powerText(power int) string {
	if power < 0 {
		return fmt.Sprintf("%.*f", -power, math.Pow10(power))
	}
	return thousands(math.Pow10(power))
}

func (s series) draw(out *strings.Builder, x, y axis) {
	var path []string
	for _, p := range s.line {
		left, top := place(x, y, p)
		path = append(path, fmt.Sprintf("%.1f,%.1f", left, top))
	}
	fmt.Fprintf(out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%d"/>`+"\n", strings.Join(path, " "), s.colour, lineWidth)
	for _, d := range s.dots {
		left, top := place(x, y, d)
		fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="%d" fill="%s" fill-opacity="0.5"/>`+"\n", left, top, dotRadius, s.colour)
	}
}
