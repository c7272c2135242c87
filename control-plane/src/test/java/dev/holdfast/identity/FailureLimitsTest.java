package dev.holdfast.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceId;
import dev.holdfast.testkit.FakeClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FailureLimitsTest {
    private final FakeClock clock = FakeClock.atStart();
    private final FailureLimits limits = new FailureLimits();

    private static FailureLimits.Caller guess(String device, String remote) {
        return FailureLimits.caller(new Credential.Token(DeviceId.parse(device).orElseThrow(), "x"), remote);
    }

    private void fail(FailureLimits.Caller caller, int times) {
        for (int i = 0; i < times; i++) {
            limits.refused(caller, EnrolmentRefusal.TOKEN_WRONG, clock.instant());
        }
    }

    @Test
    void failuresCountForSourceAndDeviceTogetherAndEndAfterAMinute() {
        fail(guess("m-1", "192.0.2.1:4000"), 10);
        assertThat(limits.isOver(guess("m-1", "192.0.2.1:4001"), clock.instant()))
                .isTrue();
        assertThat(limits.isOver(guess("m-1", "192.0.2.2:4000"), clock.instant()))
                .as("from elsewhere")
                .isFalse();
        assertThat(limits.isOver(guess("m-2", "192.0.2.1:4000"), clock.instant()))
                .as("another device behind the same address")
                .isFalse();
        clock.advance(Duration.ofSeconds(61));
        assertThat(limits.isOver(guess("m-1", "192.0.2.1:4001"), clock.instant()))
                .isFalse();
    }

    @Test
    void oneSourceCantTryAllDevices() {
        for (int i = 0; i < 300; i++) {
            fail(guess("m-" + i, "192.0.2.1:4000"), 1);
        }
        assertThat(limits.isOver(guess("m-1000", "192.0.2.1:9"), clock.instant()))
                .isTrue();
        assertThat(limits.isOver(guess("m-1000", "192.0.2.9:9"), clock.instant()))
                .isFalse();
    }

    @Test
    void anIpv6NetworkOfOneSubscriberIsOneSource() {
        fail(guess("m-1", "2001:db8:0:1:a:b:c:d:4000"), 5);
        fail(guess("m-1", "2001:db8:0:1:1:2:3:4:4001"), 5);
        assertThat(limits.isOver(guess("m-1", "2001:db8:0:1:9:9:9:9:4000"), clock.instant()))
                .isTrue();
        assertThat(limits.isOver(guess("m-1", "2001:db8:0:2:9:9:9:9:4000"), clock.instant()))
                .isFalse();
    }

    @Test
    void aRightTokenWithABadRequestIsNoGuess() {
        for (int i = 0; i < 400; i++) {
            limits.refused(guess("m-1", "192.0.2.1:4000"), EnrolmentRefusal.KEY_WEAK, clock.instant());
        }
        assertThat(limits.isOver(guess("m-1", "192.0.2.1:4000"), clock.instant()))
                .isFalse();
    }
}
