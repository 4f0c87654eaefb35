// The headers stand alone, agree with the library, and compile without a warning as C11 and C++17.
#include <tcpstack.h>
#include <tcpstack.h>
#include <tcpstack/bsd.h>

#include <cstring>

int main()
{
    const bool is_same = std::strcmp(TCPSTACK_VERSION, tcps_version()) == 0;
    const bool is_quiet = std::strcmp(tcps_last_error(), "") == 0;
    return is_same && is_quiet && TCPS_TIME_WAIT == 6 ? 0 : 1;
}
