package dev.holdfast.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class DutyTest {
    private static Duty read(String json) throws IOException {
        return Duty.read(3, new ObjectMapper().readTree(json));
    }

    @Test
    void readsMembersAndWhomToIsolate() throws IOException {
        Duty duty = read("""
                {"members":[{"device":"m-1","address":"10.0.0.1"}],
                 "isolated":[{"device":"m-1","address":"10.0.0.1","allow":["10.9.9.9:8443"]}]}""");
        assertThat(duty.deviceAt("10.0.0.1")).contains("m-1");
        assertThat(duty.permits("10.0.0.1", "10.9.9.9", 8443)).isTrue();
        assertThat(duty.permits("10.0.0.1", "10.9.9.9", 443)).isFalse();
        assertThat(duty.permits("10.0.0.2", "10.9.9.9", 443)).isTrue();
    }

    @Test
    void leavesOutWhatIsNoAddressAndKeepsTheRest() throws IOException {
        Duty duty = read("""
                {"isolated":[{"address":"10.0.0.1; flush ruleset"},{"address":"10.0.0.2","allow":["x:1","10.1.1.1:99999999"]},
                 {"address":"fe80::1"},17]}""");
        assertThat(duty.isolated()).containsOnlyKeys("10.0.0.2", Duty.canonical("fe80::1"));
        assertThat(duty.isolated().get("10.0.0.2")).isEmpty();
    }

    @Test
    void nftablesScriptHoldsAddressesAndNothingElse() throws IOException {
        Duty duty = read("""
                {"isolated":[{"address":"10.0.0.2","allow":["10.1.1.1:8443"]},{"address":"fd00::5"},
                 {"address":"10.0.0.3 } ; delete table inet filter"}]}""");
        assertThat(NftablesEnforcer.script(duty))
                .contains("add element inet holdfast isolated4 { 10.0.0.2 }")
                .contains("add element inet holdfast allowed4 { 10.0.0.2 . 10.1.1.1 . 8443 }")
                .contains("add element inet holdfast isolated6 { fd00::5 }")
                .doesNotContain("delete");
    }
}
