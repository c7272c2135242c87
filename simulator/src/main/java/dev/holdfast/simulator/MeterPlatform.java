package dev.holdfast.simulator;

import dev.holdfast.agent.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The hardware of a simulated meter.
final class MeterPlatform implements Platform {
    private final CityPlan.Meter meter;
    private volatile @Nullable Uplink uplink;

    MeterPlatform(CityPlan.Meter meter) {
        this.meter = meter;
    }

    @Override
    public Optional<String> start(String version, InputStream image) throws IOException {
        return FirmwareImage.read(image).failsOn(meter)
                ? Optional.of("stopped during start; the watchdog bites")
                : Optional.empty();
    }

    @Override
    public Optional<String> selfTest() {
        return Optional.empty();
    }

    @Override
    public Map<String, Double> measure(Instant now) {
        return CityPlan.measure(meter, now);
    }

    @Override
    public void connected(Uplink link) {
        uplink = link;
        link.publish(
                "d/" + meter.id() + "/log",
                "{\"v\":1,\"severity\":\"info\",\"text\":\"link up\"}".getBytes(StandardCharsets.UTF_8));
    }

    /// What an application on the meter speaks through, an honest one or another.
    Optional<Uplink> uplink() {
        return Optional.ofNullable(uplink);
    }
}
