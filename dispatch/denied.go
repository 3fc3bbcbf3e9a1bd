package dispatch

import "net/netip"

// A denial is a range that is not of the public internet, and what it is instead.
type denial struct {
	prefix netip.Prefix
	reason string
}

// denials are the special-purpose ranges of the IANA registries (RFC 6890 and its
// successors) and the metadata addresses of cloud providers outside them. Of IPv6
// only the global unicast range 2000::/3 is public at all, less what is listed.
var denials = []denial{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network (RFC 791)"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private (RFC 1918)"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared address space (RFC 6598)"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback (RFC 1122)"},
	{netip.MustParsePrefix("168.63.129.16/32"), "a cloud provider's metadata service"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local (RFC 3927)"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private (RFC 1918)"},
	{netip.MustParsePrefix("192.0.0.0/24"), "for protocols (RFC 6890)"},
	{netip.MustParsePrefix("192.0.2.0/24"), "for documentation (RFC 5737)"},
	{netip.MustParsePrefix("192.31.196.0/24"), "for AS112 (RFC 7535)"},
	{netip.MustParsePrefix("192.52.193.0/24"), "for AMT (RFC 7450)"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a 6to4 relay (RFC 7526)"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private (RFC 1918)"},
	{netip.MustParsePrefix("192.175.48.0/24"), "for AS112 (RFC 7534)"},
	{netip.MustParsePrefix("198.18.0.0/15"), "for benchmarks (RFC 2544)"},
	{netip.MustParsePrefix("198.51.100.0/24"), "for documentation (RFC 5737)"},
	{netip.MustParsePrefix("203.0.113.0/24"), "for documentation (RFC 5737)"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast (RFC 5771)"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved or broadcast (RFC 1112)"},
	{netip.MustParsePrefix("2001::/23"), "for protocols, Teredo among them (RFC 2928)"},
	{netip.MustParsePrefix("2001:db8::/32"), "for documentation (RFC 3849)"},
	{netip.MustParsePrefix("2002::/16"), "6to4 (RFC 3056)"},
	{netip.MustParsePrefix("2620:4f:8000::/48"), "for AS112 (RFC 7534)"},
	{netip.MustParsePrefix("3fff::/20"), "for documentation (RFC 9637)"},
}

var globalUnicast = netip.MustParsePrefix("2000::/3")

// denied says what an address is that is not of the public internet, and is empty for
// one that is.
func denied(addr netip.Addr) string {
	if addr.Is4In6() {
		return "an IPv4 address written as IPv6"
	}
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return "not global unicast (RFC 4291)"
	}
	for _, d := range denials {
		if d.prefix.Contains(addr) {
			return d.reason
		}
	}
	return ""
}
