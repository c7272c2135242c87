package dev.holdfast.ingest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Json;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// The body of `POST /ingest/v1/flows`: `{"v":1,"flows":[{"device":"m-1","start":"...","end":"...",
/// "destination":"10.0.0.9","port":443,"protocol":"tcp","octets":1200,"packets":9}]}`.
record FlowReport(List<Flow> flows) {
    static final int MOST_FLOWS = 2_000;

    FlowReport {
        flows = List.copyOf(flows);
    }

    /// @param destination an address in its usual form
    record Flow(
            DeviceId device,
            Instant start,
            Instant end,
            String destination,
            int port,
            String protocol,
            long octets,
            long packets) {}

    /// @param now no flow ends after it: clocks of gateways may be ahead
    static FlowReport parse(byte[] body, Instant now) throws MalformedReportException {
        JsonNode tree;
        try {
            tree = Json.tree(new String(body, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new MalformedReportException("not JSON", e);
        }
        if (tree == null || tree.path("v").asInt() != 1 || !tree.path("flows").isArray()) {
            throw new MalformedReportException("\"v\" must be 1 and \"flows\" a list");
        }
        JsonNode list = tree.path("flows");
        if (list.size() > MOST_FLOWS) {
            throw new MalformedReportException("more than " + MOST_FLOWS + " flows");
        }
        List<Flow> flows = new ArrayList<>(list.size());
        for (int i = 0; i < list.size(); i++) {
            try {
                flows.add(flow(list.get(i), now));
            } catch (MalformedReportException e) {
                throw new MalformedReportException("flow " + i + ": " + e.getMessage(), e);
            }
        }
        return new FlowReport(flows);
    }

    private static Flow flow(JsonNode flow, Instant now) throws MalformedReportException {
        DeviceId device = DeviceId.parse(flow.path("device").asText())
                .orElseThrow(() -> new MalformedReportException("\"device\" is not a device id"));
        Instant end = time(flow, "end");
        Instant start = time(flow, "start");
        end = end.isAfter(now) ? now : end;
        String protocol = flow.path("protocol").asText();
        if (!protocol.matches("[a-z0-9][a-z0-9-]{0,15}")) {
            throw new MalformedReportException("\"protocol\" is a name such as tcp, udp, icmp");
        }
        return new Flow(
                device,
                start.isAfter(end) ? end : start,
                end,
                address(flow.path("destination").asText()),
                (int) number(flow, "port", 65_535),
                protocol,
                number(flow, "octets", Long.MAX_VALUE),
                number(flow, "packets", Long.MAX_VALUE));
    }

    private static Instant time(JsonNode flow, String key) throws MalformedReportException {
        try {
            return Instant.parse(flow.path(key).asText());
        } catch (DateTimeException e) {
            throw new MalformedReportException("\"" + key + "\" is not a time in RFC 3339", e);
        }
    }

    private static long number(JsonNode flow, String key, long most) throws MalformedReportException {
        JsonNode value = flow.path(key);
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.asLong() < 0 || value.asLong() > most) {
            throw new MalformedReportException("\"" + key + "\" is not a whole number from 0 on");
        }
        return value.asLong();
    }

    /// Literals only: nothing that a gateway says is ever looked up.
    private static String address(String text) throws MalformedReportException {
        try {
            return InetAddress.ofLiteral(text).getHostAddress();
        } catch (IllegalArgumentException e) {
            throw new MalformedReportException("\"destination\" is not an IP address", e);
        }
    }
}
