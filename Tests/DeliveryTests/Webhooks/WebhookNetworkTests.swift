import Testing

@testable import Delivery

struct WebhookNetworkTests {
    @Test(arguments: [
        "93.184.216.34", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "2606:4700::1", "2a00:1450::8",
    ])
    func `an address of the internet is public`(text: String) throws {
        #expect(try #require(IPAddress(text)).isPublic)
    }

    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.8", "192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "fc00::1", "fd12::1",
        "fe80::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1",
    ])
    func `an address of this machine, a private network, a link, a group or a tunnel is not`(text: String) throws {
        #expect(try !#require(IPAddress(text)).isPublic)
    }

    @Test(arguments: [
        "", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "127.0.0.01", "1.2.3.4.5", "[::1]", "fe80::1%eth0",
    ])
    func `what is written in another way is no address`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `a block holds the addresses with its first bits`() throws {
        let block = try #require(AddressBlock("10.20.0.0/14"))
        for (text, isInside) in [("10.20.0.1", true), ("10.23.255.255", true), ("10.24.0.0", false), ("::1", false)] {
            #expect(block.contains(try #require(IPAddress(text))) == isInside, "\(text)")
        }
        #expect(try #require(AddressBlock("::1")).contains(try #require(IPAddress("::1"))))
        for text in ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "/8", "fd00::/129", "ten/8"] {
            #expect(AddressBlock(text) == nil, "\(text)")
        }
    }

    @Test func `an address that is not public is reached only where its network is allowed, with TLS or without`()
        throws
    {
        let networks = try #require(WebhookPolicy.networks(list: "10.0.0.0/8, ::1"))
        let policy = WebhookPolicy(secret: nil, networks: networks)
        let (inside, outside) = (try #require(IPAddress("10.9.9.9")), try #require(IPAddress("192.168.0.1")))
        #expect(policy.objection(to: inside, isEncrypted: false) == nil)
        #expect(policy.objection(to: outside, isEncrypted: true) != nil)
        let world = try #require(IPAddress("8.8.8.8"))
        #expect(policy.objection(to: world, isEncrypted: true) == nil)
        #expect(policy.objection(to: world, isEncrypted: false) != nil)
        #expect(WebhookPolicy.networks(list: "10.0.0.0/8,x") == nil)
        #expect(WebhookPolicy.networks(list: "") == [])
    }

    @Test(arguments: [
        "https://example.com/hook", "https://example.com:8443/hook?a=b", "http://10.0.0.1:9/",
        "https://[2606:4700::1]/x",
    ])
    func `a URL with a plain host is sound`(url: String) {
        #expect(WebhookConfiguration(url: url).fault == nil)
    }

    @Test(arguments: [
        "", "example.com/hook", "ftp://example.com/", "https:///hook", "https://user:pw@example.com/", "https://a.b/#x",
        "https://EXAMPLE.com/", "https://exa%6dple.com/", "https://ex ample.com/", "https://bücher.example/",
        "https://[::1%25lo]/", "https://a_b.example/", "https://a.example:70000/", "https://a.example:0/",
    ])
    func `a URL whose host could be read in two ways is refused`(url: String) {
        #expect(WebhookConfiguration(url: url).fault != nil)
    }
}
