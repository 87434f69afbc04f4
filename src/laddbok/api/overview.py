"""Where does a person look first?"""

from litestar import get

from laddbok.api.overview_view import Overview, overview
from laddbok.api.parts import ApiRequest, asked, parts_of


@get("/overview")
async def show_overview(request: ApiRequest) -> Overview:
    """Counts, power, energy of the day, and what is broken."""
    async with asked(request) as connection:
        return await overview(connection, parts_of(request).clock)
