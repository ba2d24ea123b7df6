#include "conformance/suite/plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "conformance/suite/report.hpp"

namespace zonesync::conform {
namespace {

constexpr double kWidth = 760;
constexpr double kLeft = 150;
constexpr double kRight = 110;
constexpr const char* kDelta = "#2463ab";
constexpr const char* kV1 = "#c8712a";

std::string number(double value) {
  static constexpr const char* kPrefixes[] = {"", "k", "M", "G"};
  int at = 0;
  for (; value >= 1'000 && at < 3; ++at) value /= 1'000;
  char text[32];
  std::snprintf(text, sizeof text, value < 10 && at > 0 ? "%.2f %s" : "%.0f %s", value,
                kPrefixes[at]);
  return text;
}

std::string fixed(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string label(double x, double y, const std::string& text, const char* anchor) {
  return "<text x=\"" + fixed(x) + "\" y=\"" + fixed(y) + "\" text-anchor=\"" + anchor + "\">" +
         escaped(text) + "</text>\n";
}

/// From a value to its place on a logarithmic axis of that length.
struct Axis {
  double low = 1;
  double high = 10;
  [[nodiscard]] double at(double value, double length) const {
    const double share = std::log10(std::max(value, low) / low) / std::log10(high / low);
    return length * std::clamp(share, 0.0, 1.0);
  }
};

Axis axis_of(const std::vector<double>& values) {
  double low = 1e18;
  double high = 0;
  for (const double value : values) {
    if (value > 0) low = std::min(low, value);
    high = std::max(high, value);
  }
  if (high <= 0) return {};
  Axis axis;
  axis.low = std::pow(10, std::floor(std::log10(low)));
  axis.high = std::pow(10, std::ceil(std::log10(high) + 1e-9));
  if (axis.high <= axis.low) axis.high = axis.low * 10;
  return axis;
}

std::string figure(const std::string& title, double height, const std::string& inside) {
  return "<figure><figcaption>" + escaped(title) +
         "; <span style=\"color:" + kDelta + "\">&#9632; delta</span> <span style=\"color:" + kV1 +
         "\">&#9632; v1</span>, logarithmic</figcaption>\n<svg viewBox=\"0 0 " + fixed(kWidth) +
         " " + fixed(height) + "\" role=\"img\" font-size=\"12\" fill=\"#222\">\n" + inside +
         "</svg></figure>\n";
}

}  // namespace

std::string bars(const std::string& title, const std::string& unit,
                 const std::vector<BarPair>& pairs) {
  constexpr double kBar = 14;
  constexpr double kRow = 2 * kBar + 14;
  std::vector<double> values;
  for (const BarPair& pair : pairs) {
    values.push_back(pair.delta);
    values.push_back(pair.v1);
  }
  const Axis axis = axis_of(values);
  const double length = kWidth - kLeft - kRight;
  std::string inside;
  double y = 6;
  for (const BarPair& pair : pairs) {
    inside += label(kLeft - 8, y + kBar + 4, pair.name, "end");
    const double shown[] = {pair.delta, pair.v1};
    for (int at = 0; at < 2; ++at) {
      const double top = y + at * kBar;
      const double wide = std::max(1.0, axis.at(shown[at], length));
      inside += "<rect x=\"" + fixed(kLeft) + "\" y=\"" + fixed(top) + "\" width=\"" +
                fixed(wide) + "\" height=\"" + fixed(kBar - 2) + "\" fill=\"" +
                (at == 0 ? kDelta : kV1) + "\"/>\n";
      inside += label(kLeft + wide + 6, top + kBar - 3, number(shown[at]) + unit, "start");
    }
    y += kRow;
  }
  return figure(title, y, inside);
}

std::string dots(const std::string& title, const std::string& unit,
                 const std::vector<double>& delta, const std::vector<double>& v1) {
  constexpr double kHeight = 260;
  constexpr double kBottom = 24;
  std::vector<double> values = delta;
  values.insert(values.end(), v1.begin(), v1.end());
  const Axis axis = axis_of(values);
  const double tall = kHeight - kBottom - 10;
  const double wide = kWidth - 90;
  std::string inside;
  for (double line = axis.low; line <= axis.high * 1.01; line *= 10) {
    const double y = 10 + tall - axis.at(line, tall);
    inside += "<line x1=\"80\" x2=\"" + fixed(80 + wide) + "\" y1=\"" + fixed(y) + "\" y2=\"" +
              fixed(y) + "\" stroke=\"#ddd\"/>\n" + label(74, y + 4, number(line) + unit, "end");
  }
  const auto series = [&](const std::vector<double>& all, const char* color) {
    for (std::size_t at = 0; at < all.size(); ++at) {
      const double x = 80 + wide * (static_cast<double>(at) + 0.5) /
                                static_cast<double>(std::max<std::size_t>(1, all.size()));
      inside += "<circle r=\"2\" cx=\"" + fixed(x) + "\" cy=\"" +
                fixed(10 + tall - axis.at(all[at], tall)) + "\" fill=\"" + color + "\"/>\n";
    }
  };
  series(v1, kV1);
  series(delta, kDelta);
  inside += label(80 + wide / 2, kHeight - 6, "steps of the history", "middle");
  return figure(title, kHeight, inside);
}

}  // namespace zonesync::conform
