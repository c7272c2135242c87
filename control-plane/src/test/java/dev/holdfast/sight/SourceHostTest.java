package dev.holdfast.sight;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SourceHostTest {
    @ParameterizedTest
    @CsvSource({
        "203.0.113.9:40112, 203.0.113.9",
        "2001:db8:0:0:a:b:c:d:40112, 2001:db8:0:0::/64",
        "[2001:db8::1]:40112, 2001:db8:0:0::/64",
        "[fe80::1%eth0]:1, fe80:0:0:0::/64",
        "[::1]:443, 0:0:0:0::/64",
        "[::ffff:203.0.113.9]:443, 203.0.113.9",
        "'', ''",
    })
    void anAddressCountsWithoutItsPortAndAnIpv6NetworkAsOne(String address, String host) {
        assertThat(SourceHost.of(address)).isEqualTo(host);
    }
}
