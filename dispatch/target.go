package dispatch

import (
	"context"
	"errors"
	"fmt"
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

	// AllowPorts are the ports that may be called. Default 80 and 443.
	AllowPorts []uint16

	// AllowAllPorts lifts the limit on ports.
	AllowAllPorts bool
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

// checkURL refuses a URL whose text alone tells that it will not be dialled: a
// literal address or a port. Names are judged when they are dialled.
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
	err = t.checkPort(port)
	if addr, notLiteral := netip.ParseAddr(u.Hostname()); notLiteral == nil {
		err = t.check(addr, port)
	} else if err == nil && endsInNumber(u.Hostname()) {
		// Resolvers read such names as IPv4 addresses in octal, hexadecimal or
		// fewer parts; as names they cannot exist.
		err = refuse("the host is neither a name nor an address: write an IPv4 address as four decimal numbers")
	}
	var r *refusal
	if errors.As(err, &r) {
		return webhook.Invalid("url", "would not be called: %s", r.reason)
	}
	return err
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

// control is a net.Dialer's ControlContext: it sees each address just before it is
// connected to.
func (t *Targets) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return refuse("network %s is not TCP", network)
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return refuse("what the name resolves to is no address")
	}
	return t.check(target.Addr(), target.Port())
}
