#include "core/postgres/libpq.h"

namespace walrig {

Result<LibpqApi> BindLibpq(LazyLibrary& library) {
  LibpqApi api;
  WALRIG_TRY(library.Bind(api.connect_start, "PQconnectStartParams"));
  WALRIG_TRY(library.Bind(api.connect_poll, "PQconnectPoll"));
  WALRIG_TRY(library.Bind(api.status, "PQstatus"));
  WALRIG_TRY(library.Bind(api.socket, "PQsocket"));
  WALRIG_TRY(library.Bind(api.error_message, "PQerrorMessage"));
  WALRIG_TRY(library.Bind(api.finish, "PQfinish"));
  WALRIG_TRY(library.Bind(api.server_version, "PQserverVersion"));
  WALRIG_TRY(library.Bind(api.set_notice_receiver, "PQsetNoticeReceiver"));
  WALRIG_TRY(library.Bind(api.set_nonblocking, "PQsetnonblocking"));
  WALRIG_TRY(library.Bind(api.send_query, "PQsendQueryParams"));
  WALRIG_TRY(library.Bind(api.single_row, "PQsetSingleRowMode"));
  WALRIG_TRY(library.Bind(api.flush, "PQflush"));
  WALRIG_TRY(library.Bind(api.consume_input, "PQconsumeInput"));
  WALRIG_TRY(library.Bind(api.is_busy, "PQisBusy"));
  WALRIG_TRY(library.Bind(api.get_result, "PQgetResult"));
  WALRIG_TRY(library.Bind(api.result_status, "PQresultStatus"));
  WALRIG_TRY(library.Bind(api.error_field, "PQresultErrorField"));
  WALRIG_TRY(library.Bind(api.result_error, "PQresultErrorMessage"));
  WALRIG_TRY(library.Bind(api.row_count, "PQntuples"));
  WALRIG_TRY(library.Bind(api.column_count, "PQnfields"));
  WALRIG_TRY(library.Bind(api.is_null, "PQgetisnull"));
  WALRIG_TRY(library.Bind(api.value, "PQgetvalue"));
  WALRIG_TRY(library.Bind(api.length, "PQgetlength"));
  WALRIG_TRY(library.Bind(api.clear, "PQclear"));
  WALRIG_TRY(library.Bind(api.get_cancel, "PQgetCancel"));
  WALRIG_TRY(library.Bind(api.cancel, "PQcancel"));
  WALRIG_TRY(library.Bind(api.free_cancel, "PQfreeCancel"));
  return api;
}

}  // namespace walrig
