#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>

#include "metrics/metrics_server.hpp"
#include "metrics/process.hpp"
#include "net/test_socket.hpp"

namespace chandler::metrics {
namespace {

// The value of a sample in the text.
double value_of(const std::string& text, const std::string& sample) {
  const auto at = text.find("\n" + sample + " ");
  EXPECT_NE(at, std::string::npos) << sample << " is not in\n" << text;
  return at == std::string::npos ? -1 : std::stod(text.substr(at + sample.size() + 2));
}

// The text worked out by hand from Prometheus' description of the format.
TEST(Families, AreWrittenInTheirOrderWithTheirHelpAndType) {
  Families families;
  families.counter("a_total", "How many", 3);
  families.begin_gauge("b", "How \"much\"");
  families.add(0.5, {{"what", "x\"y\\z\n"}, {"of", "it"}});
  families.add(-2);
  EXPECT_EQ(families.text(),
            "# HELP a_total How many\n# TYPE a_total counter\na_total 3\n"
            "# HELP b How \"much\"\n# TYPE b gauge\nb{what=\"x\\\"y\\\\z\\n\",of=\"it\"} 0.5\nb -2\n");
}

TEST(Families, LargeCountsKeepEveryDigit) {
  Families families;
  families.counter("bytes_total", "Bytes", 9'007'199'254'740'991.0);
  EXPECT_EQ(value_of("\n" + families.text(), "bytes_total"), 9'007'199'254'740'991.0);
}

// The example of Prometheus' description of the format, with fewer buckets.
TEST(Families, AHistogramsBucketsAddUpAndTheLastHasAll) {
  Families families;
  families.histogram("took_seconds", "How long", std::array{0.05, 0.1},
                     std::array<std::uint64_t, 3>{24, 9, 7}, 53.5);
  EXPECT_EQ(families.text(),
            "# HELP took_seconds How long\n# TYPE took_seconds histogram\n"
            "took_seconds_count 40\ntook_seconds_sum 53.5\n"
            "took_seconds_bucket{le=\"0.05\"} 24\ntook_seconds_bucket{le=\"0.1\"} 33\n"
            "took_seconds_bucket{le=\"+Inf\"} 40\n");
}

TEST(Process, CountsItsDescriptors) {
  const auto open_fds = [] {
    Families families;
    add_process(families);
    return value_of(families.text(), "process_open_fds");
  };
  const double before = open_fds();
  const int one = ::open("/dev/null", O_RDONLY), two = ::open("/dev/null", O_RDONLY);
  EXPECT_EQ(open_fds(), before + 2);
  ::close(one);
  ::close(two);
  EXPECT_EQ(open_fds(), before);
}

TEST(Process, KnowsItsMemory) {
  const auto resident = [] {
    Families families;
    add_process(families);
    return value_of(families.text(), "process_resident_memory_bytes");
  };
  const double before = resident();
  const std::string taken(64 << 20, 'x');
  EXPECT_GT(resident(), before + static_cast<double>(taken.size()) / 2);
}

TEST(MetricsServer, AsksForTheFiguresAnewEachTime) {
  double count = 0;
  const auto server = serve(0, "1.2.3", [&](Families& f) { f.counter("calls_total", "Calls", ++count); });
  ASSERT_TRUE(server);
  net::TestSocket client((*server)->port());
  for (int i = 1; i <= 3; ++i) {
    client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = client.answer();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 "));
    EXPECT_NE(answer.find("text/plain; version=0.0.4"), std::string::npos);
    EXPECT_EQ(value_of(answer, "calls_total"), i);
    EXPECT_EQ(value_of(answer, "chandler_build_info{version=\"1.2.3\"}"), 1);
  }
}

}  // namespace
}  // namespace chandler::metrics
