package dispatch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/ringback-dev/ringback/webhook"
)

// Targets says which addresses and ports may be called. The check is made on the
// address that is really dialled, after every name has been resolved.
type Targets struct {
	// AllowPrivate are ranges that may be called although they are private,
	// loopback or otherwise not of the public internet.
	AllowPrivate []netip.Prefix

	// AllowHosts are host names that may be called whatever addresses they resolve
	// to, such as "crm.internal". Upper and lower case count as the same; a name does
	// not stand for the names below it. An address is no host name: see AllowPrivate.
	AllowHosts []string

	// AllowPorts are the ports that may be called. Default 80 and 443.
	AllowPorts []uint16

	// AllowAllPorts lifts the limit on ports.
	AllowAllPorts bool

	// HTTPSOnly refuses URLs that begin with http://.
	HTTPSOnly bool
}

// AllAddresses returns the ranges that, as AllowPrivate, let every address be
// called: for tests and for hosts whose users are all trusted.
func AllAddresses() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
}

func (t *Targets) validate() error {
	for _, prefix := range t.AllowPrivate {
		if !prefix.IsValid() {
			return errors.New("dispatch: Options.Targets.AllowPrivate holds an invalid prefix")
		}
	}
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_."
	for _, host := range t.AllowHosts {
		if host == "" || strings.Trim(strings.ToLower(host), letters) != "" || endsInNumber(host) {
			return fmt.Errorf("dispatch: Options.Targets.AllowHosts holds %q, which is no host name in ASCII", host)
		}
	}
	if slices.Contains(t.AllowPorts, 0) {
		return errors.New("dispatch: Options.Targets.AllowPorts holds port 0")
	}
	return nil
}

// A refusal is the engine's own no to a target, as opposed to the target's silence.
// Its reason may be shown to the callback's owner: it does not hold the address that
// a name has resolved to.
type refusal struct{ reason string }

func (r *refusal) Error() string { return "dispatch: target refused: " + r.reason }

func refuse(format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...)}
}

// check says why an address may not be called, nil if it may.
func (t *Targets) check(addr netip.Addr, port uint16) error {
	if err := t.checkPort(port); err != nil {
		return err
	}
	if addr.Zone() != "" {
		return refuse("the address has a zone")
	}
	plain := addr.Unmap()
	for _, prefix := range t.AllowPrivate {
		if prefix.Contains(plain) || prefix.Contains(addr) {
			return nil
		}
	}
	if reason := denied(addr); reason != "" {
		return refuse("the address is %s", reason)
	}
	return nil
}

func (t *Targets) checkPort(port uint16) error {
	allowed := t.AllowPorts
	if allowed == nil {
		allowed = []uint16{80, 443}
	}
	if port == 0 || !t.AllowAllPorts && !slices.Contains(allowed, port) {
		return refuse("port %d is not allowed", port)
	}
	return nil
}

func (t *Targets) checkScheme(u *url.URL) error {
	if t.HTTPSOnly && u.Scheme != "https" {
		return refuse("only https is allowed")
	}
	return nil
}

// checkURL refuses a URL whose text alone tells that it will not be called: its scheme,
// a literal address or a port. Names are judged when they are dialled.
func (t *Targets) checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return webhook.Invalid("url", "cannot be parsed")
	}
	port := uint16(80)
	if strings.EqualFold(u.Scheme, "https") {
		port = 443
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return webhook.Invalid("url", "has no valid port")
		}
		port = uint16(n)
	}
	var r *refusal
	if err := t.checkText(u, port); errors.As(err, &r) {
		return webhook.Invalid("url", "would not be called: %s", r.reason)
	}
	return nil
}

func (t *Targets) checkText(u *url.URL, port uint16) error {
	if err := t.checkScheme(u); err != nil {
		return err
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return t.check(addr, port)
	}
	if err := t.checkPort(port); err != nil {
		return err
	}
	if endsInNumber(u.Hostname()) {
		// Resolvers read such names as IPv4 addresses in octal, hexadecimal or
		// fewer parts; as names they cannot exist.
		return refuse("the host is neither a name nor an address: write an IPv4 address as four decimal numbers")
	}
	return nil
}

// endsInNumber reports whether a host is meant as an IPv4 address: its last label is
// a number (WHATWG URL, 3.5, "ends in a number").
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(strings.ToLower(last), "0x"); ok {
		_, err := strconv.ParseUint(hex, 16, 64)
		return hex == "" || err == nil
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// dial connects to a host and port if they may be called. The addresses that the host
// resolves to are judged just before they are connected to.
func (t *Targets) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	named := slices.ContainsFunc(t.AllowHosts, func(name string) bool { return strings.EqualFold(name, host) })
	dialer := net.Dialer{
		KeepAlive: -1, // what is idle is closed soon
		ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
			return t.checkDial(network, address, named)
		},
	}
	return dialer.DialContext(ctx, network, address)
}

// checkDial says why an address may not be connected to, nil if it may. Named tells
// that it is one of a host in AllowHosts.
func (t *Targets) checkDial(network, address string, named bool) error {
	if network != "tcp4" && network != "tcp6" {
		return refuse("network %s is not TCP", network)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return refuse("what the name resolves to is no address")
	}
	if named {
		return t.checkPort(target.Port())
	}
	return t.check(target.Addr(), target.Port())
}
