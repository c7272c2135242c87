package dev.holdfast.inventory;

import dev.holdfast.core.Environment;
import dev.holdfast.core.ModelId;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/// A kind of device: what its maker and its operator say it is and does.
///
/// @param hardware what a release must name to fit
/// @param expectedInterval how often a healthy device is heard; devices that sleep have a long one
/// @param bands the physically possible range of each metric it reports
/// @param allowedFlows the destinations it may talk to; empty means not stated, so flows are not judged
/// @param desiredConfiguration what its configuration report should say
public record Model(
        Environment environment,
        ModelId id,
        String vendor,
        String hardware,
        Duration expectedInterval,
        Map<String, Band> bands,
        List<AllowedFlow> allowedFlows,
        Map<String, String> desiredConfiguration) {

    public Model {
        if (expectedInterval.isNegative() || expectedInterval.isZero()) {
            throw new IllegalArgumentException("the expected interval of model " + id + " is not positive");
        }
        bands = Map.copyOf(bands);
        allowedFlows = List.copyOf(allowedFlows);
        desiredConfiguration = Map.copyOf(desiredConfiguration);
    }

    /// @param unit as in SenML (RFC 8428 section 12.1), such as `kWh`, `V`, `Cel`
    public record Band(double min, double max, String unit) {
        public Band {
            if (!(min <= max)) {
                throw new IllegalArgumentException("a band from " + min + " to " + max);
            }
        }
    }

    /// @param network a CIDR prefix, such as `10.0.0.0/24`
    /// @param protocol `tcp` or `udp`
    /// @param port 0 for any
    public record AllowedFlow(String network, String protocol, int port) {
        public AllowedFlow {
            Network.parse(network);
            if (!protocol.equals("tcp") && !protocol.equals("udp")) {
                throw new IllegalArgumentException("an allowed flow is tcp or udp");
            }
            if (port < 0 || port > 65_535) {
                throw new IllegalArgumentException("an allowed flow's port is 0 (any) to 65535");
            }
        }
    }
}
