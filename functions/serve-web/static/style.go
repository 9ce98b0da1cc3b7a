package static

import "strings"

// maxStyles is how many accents are kept; a shop has one.
const maxStyles = 8

// StylePath returns the address of the style with an accent, such as #0b6b75. It names the accent, so that every copy of
// the function can serve it.
func (f *Files) StylePath(accent string) string { return Prefix + f.styleName(accentOf(accent)) }

// styleName is called for every page; a name is made once.
func (f *Files) styleName(accent string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	name, ok := f.names[accent]
	if !ok {
		name = f.makeStyleName(accent)
		if len(f.names) >= maxStyles {
			clear(f.names)
		}
		f.names[accent] = name
	}
	return name
}

func (f *Files) makeStyleName(accent string) string {
	return "style." + hashOf(append([]byte(Style(accent)), f.style...)) + "-" + strings.TrimPrefix(accent, "#") + ".css"
}

// findStyle returns the style of a name; ok is false if it is none of StylePath.
func (f *Files) findStyle(name string) (found file, ok bool) {
	rest, ok := strings.CutSuffix(name, ".css")
	_, hex, cut := strings.Cut(rest, "-")
	accent := "#" + hex
	if !ok || !cut || accent != accentOf(accent) || f.styleName(accent) != name {
		return found, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if found, ok := f.styles[accent]; ok {
		return found, true
	}
	content := append([]byte(Style(accent)+"\n"), f.style...)
	packed, err := pack(content)
	if err != nil {
		return found, false
	}
	if len(f.styles) >= maxStyles {
		clear(f.styles)
	}
	f.styles[accent] = file{"text/css; charset=utf-8", content, packed}
	return f.styles[accent], true
}
