package board

import (
	"net"
	"net/http"
	"strings"
)

// guarded tells browsers that the page needs nothing but this server, and refuses what a foreign page may have a browser ask.
//
// A board on a loopback address is for this machine. A page on the Internet can have its own name mean 127.0.0.1, and would then
// read the board with the browser of somebody who sits here (DNS rebinding). The browser says the name, in Host: what is neither
// an address nor localhost is refused there.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if local(r) && !means(r.Host) {
			http.Error(w, "this address is for the machine itself: ask for it as localhost, or by its number", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local says whether a request came to a loopback address.
func local(r *http.Request) bool {
	address, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && address.IP.IsLoopback()
}

// means says whether the host of a request is an address or localhost, and no name that somebody else may have given.
func means(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return net.ParseIP(host) != nil || strings.EqualFold(host, "localhost")
}
