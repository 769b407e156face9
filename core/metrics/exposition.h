// Metrics as Prometheus text (exposition format 0.0.4).
//
// THREADS: any.
#pragma once

#include <map>
#include <string>

namespace walrig {

// A "# TYPE name counter" line for each family of names, then its samples. Characters that a metric name may not hold
// become '_'; labels are passed through; a name whose labels are not closed is left out.
std::string PrometheusText(const std::map<std::string, double>& values);

}  // namespace walrig
